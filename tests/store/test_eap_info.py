"""The words of the packet list for 802.1X, EAP and RADIUS."""

import pytest

from analyzer.store.eap_info import eap_text, port_text, radius_text


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (b"\1\1\0\5\1", "Request, Identity"),
        (b"\2\1\0\6\3\x15", "Response, Legacy Nak (Response Only)"),
        (b"\1\1\0\6\x37\x21", "Request, TEAP"),
        (b"\1\1\0\5\xc8", "Request, type 200"),
        (b"\4\1\0\4", "Failure"),
    ],
    ids=["identity", "nak", "teap", "unknown", "failure"],
)
def test_eap(packet, text):
    assert eap_text(packet) == text
    assert port_text(b"\2\0" + len(packet).to_bytes(2, "big") + packet) == ("EAP", text)


def test_other_frames_and_packets():
    assert port_text(b"\2\3\0\0") == ("EAPOL", "Key")
    assert port_text(b"\2\x63\0\0") == ("EAPOL", "type 99")
    assert port_text(b"\2") == ("EAPOL", "1 bytes")
    assert port_text(b"\2\0\0\1\0") == ("EAPOL", "type 0")
    assert radius_text(b"\4\7\0\x14" + bytes(16)) == "Accounting-Request id=7"
    assert radius_text(b"\xff\7\0\x14" + bytes(16)) is None
