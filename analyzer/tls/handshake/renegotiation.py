"""Checks that a renegotiation belongs to the connection in which it comes (RFC 5746).

Up to TLS 1.2 a new handshake inside an encrypted connection says nothing of the old one. So somebody who opens a connection,
sends data, and then lets a victim's handshake pass through it makes the server take both for one client (CVE-2009-3555). The
extension renegotiation_info prevents this: the ClientHello repeats the verify_data of the client's last Finished, the
ServerHello that of both sides. A passive reader with the secrets has these values.
"""

from typing import Any

from analyzer.codec.runner import extension_body
from analyzer.tls.messages.numbers import RENEGOTIATION_INFO

CLIENT, SERVER = 0, 1

ROLES = ("client", "server")


def unbound(role: int, hello: Any, verify_data: list[bytes]) -> tuple[str, str] | None:
    """Return severity and sentence of a finding about a hello of a renegotiation; None if it is bound, or that is not known.

    verify_data: of the last Finished of the client and of the server, empty where it is not known.
    """
    if not verify_data[CLIENT] or not verify_data[SERVER] or getattr(hello, "extensions", None) is None:
        return None
    body = extension_body(hello, RENEGOTIATION_INFO)
    if body is None:
        return (
            "medium",
            f"the {ROLES[role]}'s hello of a renegotiation has no renegotiation_info: nothing binds it to this connection",
        )
    expected = verify_data[CLIENT] if role == CLIENT else verify_data[CLIENT] + verify_data[SERVER]
    found = getattr(body, "renegotiated_connection", None)
    if found == expected:
        return None
    return "high", f"the renegotiation_info of the {ROLES[role]}'s hello is not the Finished values of this connection"
