"""Extensions that are complete, unknown, damaged or repeated, and the bytes around them."""

import pytest
from cryptography import x509

from analyzer.x509.certificate_extensions import SHOWN_BYTES, Extension, read_extensions
from analyzer.x509.layout import EXTENSIONS, Layout

from .making import make, raw


def extensions_of(der: bytes) -> tuple[Extension, ...]:
    read = read_extensions(Layout(der))
    assert read is not None
    return read


def test_name_criticality_and_order() -> None:
    read = extensions_of(make(x509.BasicConstraints(True, None), x509.OCSPNoCheck(), critical=True))
    assert [(one.oid, one.name, one.critical) for one in read] == [
        ("2.5.29.19", "basicConstraints", True),
        ("1.3.6.1.5.5.7.48.1.5", "ocspNoCheck", True),
    ]
    assert [one.critical for one in extensions_of(make(x509.BasicConstraints(True, None)))] == [False]


def test_an_unknown_extension_is_shown_in_hex_and_is_no_problem() -> None:
    (one,) = extensions_of(make(raw("1.2.3.4.5", b"anything")))
    assert one.record() == {
        "oid": "1.2.3.4.5",
        "name": "1.2.3.4.5",
        "critical": False,
        "value": None,
        "hex": b"anything".hex(),
        "problems": [],
    }


def test_what_cannot_be_read_is_shown_in_hex_with_field_offset_and_reason() -> None:
    octets = bytes.fromhex("3003020101")  # a number where a key identifier's octets should be
    der = make(raw("2.5.29.14", octets))
    (one,) = extensions_of(der)
    assert one.record() == {
        "oid": "2.5.29.14",
        "name": "subjectKeyIdentifier",
        "critical": False,
        "value": None,
        "hex": octets.hex(),
        "problems": [
            {"field": "subjectKeyIdentifier", "offset": der.index(octets) + 2, "detail": "tag 0x30, not 0x04"},
        ],
    }


def test_bytes_after_a_value_leave_it_readable() -> None:
    (one,) = extensions_of(make(raw("2.5.29.14", bytes.fromhex("0401aa") + b"more")))
    assert one.value == "aa"
    assert [problem.why for problem in one.problems] == ["4 bytes follow its value"]
    assert one.record()["hex"] == "0401aa6d6f7265"


@pytest.mark.parametrize("octets", [b"", b"\x30", b"\x30\x05\x01", b"\xff" * 40, b"\x30\x80" * 20, bytes(30)])
@pytest.mark.parametrize("last", [*range(9, 38), 46, 54])
def test_damage_is_reported_and_never_raised(octets: bytes, last: int) -> None:
    (one,) = extensions_of(make(raw(f"2.5.29.{last}", octets)))
    assert one.record()["hex"] == octets.hex()
    assert one.problems or one.value is None or one.value == []


def test_a_repeated_extension_is_reported() -> None:
    der = make(raw("2.5.4.17", b"\x05\0"), raw("2.5.4.18", b"\x05\0"))
    layout = Layout(der.replace(b"\x55\x04\x12", b"\x55\x04\x11"))
    read = read_extensions(layout)
    assert read is not None
    assert [one.name for one in read] == ["2.5.4.17", "2.5.4.17"]
    assert [problem.why for problem in layout.problems] == ["2.5.4.17 is there again"]


def test_too_many_extensions() -> None:
    many = [raw(f"1.2.3.{number}", b"\x05\x00") for number in range(EXTENSIONS + 1)]
    layout = Layout(make(*many))
    read = read_extensions(layout)
    assert read is not None
    assert len(read) == EXTENSIONS
    assert [problem.why for problem in layout.problems] == [f"extensions after {EXTENSIONS} are not read"]


def test_a_large_extension_is_truncated_with_a_note() -> None:
    (one,) = extensions_of(make(raw("1.2.3", bytes(SHOWN_BYTES + 1))))
    assert len(one.raw) == SHOWN_BYTES
    assert "only the first" in one.problems[0].why


def test_no_extensions_and_no_place_for_them() -> None:
    assert read_extensions(Layout(make())) == ()
    assert read_extensions(Layout(make()[:100])) is None
