"""The table of fields: names, the nearest names, families."""

import pytest

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_type import FieldType


def table() -> FieldTable:
    names = ("tcp", "tcp.srcport", "tcp.dstport", "tcp.port", "ip.src", "tls.handshake.extensions_server_name")
    return FieldTable(Field(name, FieldType.UINT, name) for name in names)


def test_a_field_is_found_by_its_exact_name() -> None:
    assert table().get("tcp.port").name == "tcp.port"
    assert table().get("TCP.port") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("tcp.prt", "tcp.port"),
        ("TCP.Port", "tcp.port"),
        ("srcport", "tcp.srcport"),
        ("tls.handshake.extension_server_name", "tls.handshake.extensions_server_name"),
    ],
)
def test_the_nearest_name_comes_first(written: str, meant: str) -> None:
    assert table().nearest(written)[0] == meant


def test_nothing_is_near_to_nonsense() -> None:
    assert table().nearest("zzzzzz") == []


def test_families() -> None:
    assert {family: len(fields) for family, fields in table().families().items()} == {"tcp": 4, "ip": 1, "tls": 1}


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match=r"ip\.src is declared twice"):
        FieldTable([Field("ip.src", FieldType.IPV4, "Source"), Field("ip.src", FieldType.IPV4, "Source")])


def test_more_fields_are_read_once_and_only_if_they_are_asked_for():
    asked = []

    def others():
        asked.append(len(asked))
        return [Field("tls.type", FieldType.UINT, "Type")]

    table = FieldTable([Field("ip.src", FieldType.IPV4, "Source")], others)
    assert table.get("ip.src") is not None
    assert asked == []
    assert table.get("tls.type") is not None
    assert ([field.name for field in table], len(table), table.get("bogus")) == (["ip.src", "tls.type"], 2, None)
    assert asked == [0]
