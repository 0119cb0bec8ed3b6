"""The reference page is what the lists and declarations say."""

from pathlib import Path

from reference import page

from analyzer.codec.codes import codes
from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.store.schema import SESSION


def test_the_page_is_up_to_date():
    text = (Path(__file__).parents[1] / "REFERENCE.md").read_text("utf-8")
    assert text == page(), "run python tests/reference.py > REFERENCE.md"


def test_the_page_has_every_code_and_every_key():
    text = page()
    listed = [code for name in ("findings", "decryption_failures", "chain_problems") for code in codes(name)]
    assert [code for code in [*listed, *reason_codes()] if code not in text] == []
    assert [key for key in SESSION["properties"] if f"| `{key}` |" not in text] == []
    assert "| `handshake[].type` |" in text
    assert "| `chain.problems[].code` |" in text
