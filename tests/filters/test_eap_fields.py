"""Fields of 802.1X, EAP and RADIUS: the frames that Wireshark 4.6 finds, and bytes that are cut or no EAP."""

from pathlib import Path

import pytest

from analyzer.cli.main import main
from analyzer.filters.eap_fields import eap_fields, port_fields, radius_fields
from analyzer.filters.value_strings import rows

NESTED = Path(__file__).parents[1] / "vectors" / "nested"
HELLO = b"\x01\x07\x00\x0e\x19\xc1\x00\x00\x04\x00abcd"


def values(found):
    return {name: occurrences[0].value for name, occurrences in found.items()}


def test_a_fragment_has_its_fields():
    found = values(port_fields(b"\2\0\0\x0e" + HELLO + b"padding"))
    assert found.pop("eapol") == b"\2\0\0\x0e" + HELLO
    assert found.pop("eap") == HELLO
    assert found == {
        "eapol.version": 2, "eapol.type": 0, "eapol.len": 14, "eap.code": 1, "eap.id": 7, "eap.len": 14, "eap.type": 25,
        "eap.tls.flags": 0xC1, "eap.tls.flags.len_included": True, "eap.tls.flags.more_fragments": True,
        "eap.tls.flags.start": False, "eap.tls.len": 1024,
    }  # fmt: skip


def test_each_field_of_the_list_is_found():
    attribute = b"\x4f\x11" + b"\2\1\0\x0f\1identity!!"
    found = radius_fields(b"\1\2" + (20 + len(attribute)).to_bytes(2, "big") + bytes(16) + attribute)
    found |= port_fields(b"\2\0\0\x0e" + HELLO)
    assert {row["name"] for row in rows("eap_fields")} == set(found)
    assert found["eap.identity"][0].value == "identity!!"


def test_what_is_cut_never_raises():
    for n in range(len(HELLO)):
        eap_fields(HELLO[:n])
        port_fields((b"\2\0\0\x0e" + HELLO)[:n])
        radius_fields(HELLO[:n])


@pytest.mark.parametrize(
    ("capture", "text", "n"),
    [
        ("wpa-supplicant-hostapd", "eap.type == 25 and eap.tls.flags.more_fragments == 1", 6),
        ("wpa-supplicant-hostapd", 'eap.identity == "bob"', 2),
        ("wpa-supplicant-hostapd", "eapol", 88),
        ("eapol-test-radius", "radius.code == 11 && eap.tls.len > 1000", 6),
        ("eapol-test-radius", "eap.code == 3", 6),
    ],
    ids=["fragments", "identity", "eapol", "radius", "success"],
)
def test_the_frames_that_wireshark_finds(capture, text, n, capsys):
    assert main(["packets", str(NESTED / f"{capture}.pcap"), "-Y", text, "-T", "fields", "-e", "frame.number"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == n
