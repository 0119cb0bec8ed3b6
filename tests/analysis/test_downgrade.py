"""Signs of a downgrade, in handshakes of real endpoints whose hellos were changed on the way."""

from typing import Any

import pytest
from conversations import Tap, packetise
from talks import converse
from tampering import tamper12

from analyzer.analysis.downgrade import SENTINEL_11, SENTINEL_12

CLIENT_HELLO, SERVER_HELLO = 1, 2


def findings(change: Any) -> dict[str, tuple[str, str]]:
    """Severity and detail of a session's findings by code, after the change; without what is true of the server in any case."""
    tap = Tap()
    tap.feed(*packetise(tamper12(converse("TLSv1_2").flights, change)))
    (record,) = tap.records()
    found = {finding["code"]: (finding["severity"], finding["detail"]) for finding in record["findings"]}
    del found["self_signed_service"]
    return found


def sentinel(ending: bytes, offer: bytes = b"") -> Any:
    """Write this ending into the server's random. offer: an extension added to the ClientHello."""

    def change(kind: int, body: bytes) -> bytes:
        if kind == SERVER_HELLO:
            return body[: 34 - len(ending)] + ending + body[34:]
        if kind == CLIENT_HELLO and offer:
            at = 35 + body[34]
            at += 2 + int.from_bytes(body[at : at + 2], "big")
            at += 1 + body[at]
            length = int.from_bytes(body[at : at + 2], "big") + len(offer)
            return body[:at] + length.to_bytes(2, "big") + body[at + 2 :] + offer
        return body

    return change


def test_an_honest_handshake_has_no_finding():
    assert findings(lambda kind, body: body) == {}


@pytest.mark.parametrize("ending", [SENTINEL_12, SENTINEL_11])
def test_a_sentinel_against_the_offer_is_an_attack(ending: bytes):
    severity, detail = findings(sentinel(ending, b"\x00\x2b\x00\x05\x04\x03\x04\x03\x03"))["downgrade"]
    assert severity == "high"
    assert "TLS 1.3" in detail or "TLS 1.2" in detail


def test_a_sentinel_without_the_offer_is_none():
    assert findings(sentinel(SENTINEL_12)) == {}


def test_a_client_that_falls_back_is_named():
    def change(kind: int, body: bytes) -> bytes:
        if kind != CLIENT_HELLO:
            return body
        at = 35 + body[34]
        length = int.from_bytes(body[at : at + 2], "big")
        return (
            body[:at] + (length + 2).to_bytes(2, "big") + body[at + 2 : at + 2 + length] + b"\x56\x00" + body[at + 2 + length :]
        )

    assert "lower version" in findings(change)["fallback"][1]


def test_a_server_without_secure_renegotiation_is_named():
    def change(kind: int, body: bytes) -> bytes:
        return body.replace(b"\xff\x01\x00\x01\x00", b"\xff\x7f\x00\x01\x00") if kind == SERVER_HELLO else body

    assert "insecure_renegotiation" in findings(change)
