"""The sentences about segments that nobody has to believe."""

import pytest

from analyzer.codec.codes import codes
from analyzer.engine.segment_facts import segment_fact


@pytest.mark.parametrize("kind", ["syn", "rst", "fin", "beyond", "fragments"])
@pytest.mark.parametrize("role", [0, 1])
def test_each_names_its_role_and_has_a_code(kind: str, role: int):
    code, detail = segment_fact(role, kind, 7, b"\x1b[31m" * 20)
    assert code in codes("findings")
    assert ("client", "server")[role] in detail
    assert "\x1b" not in detail
    assert len(detail) < 300
