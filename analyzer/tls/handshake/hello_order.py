"""Tells the first ClientHello from the second one, which answers a HelloRetryRequest, where the capture begins late.

The fingerprints of a client are those of its first hello, and the hash of a handshake begins with it. The second one has one
key share, of the group that the server asked for, and often the cookie that the server gave (RFC 9846 sections 4.2.4, 4.3.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.runner import extension_body
from analyzer.flows.flow import Flow
from analyzer.tls.events import Gap
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import CLIENT_HELLO, COOKIE, KEY_SHARE, SERVER_HELLO, SUPPORTED_GROUPS
from analyzer.tls.record.record import Record

if TYPE_CHECKING:
    import cython


def begins_handshake(flow: Flow, gaps: list[Gap], client: RoleState, version: cython.int, hello: Any) -> cython.bint:
    """Return whether no ClientHello of the handshake can have been before this one.

    gaps: those of the session so far. version: of the session so far, 0 if no server's answer was seen.
    """
    if client.missed or extension_body(hello, COOKIE) is not None:
        return False
    if not flow.late and len(gaps) == 0:
        return True
    return client.change_frame == 0 and version == 0 and not may_be_second(hello)


def may_be_second(hello: Any) -> cython.bint:
    """Return whether a ClientHello may be the answer to a HelloRetryRequest, as far as its key share shows it.

    The answer has one share, of the group that the server asked for (RFC 9846 section 4.2.4). In a first hello, shares are of
    the groups that the client prefers.
    """
    number: cython.int
    shares = getattr(extension_body(hello, KEY_SHARE), "client_shares", None)
    if shares is None or len(shares) != 1:
        return False
    group: cython.int = getattr(shares[0], "group", None) or 0
    for number in getattr(extension_body(hello, SUPPORTED_GROUPS), "named_group_list", None) or ():
        if number & 0x0F0F != 0x0A0A:  # no GREASE
            return number != group
    return True


def is_late_hello(record: Record, version: cython.int) -> cython.bint:
    """Return whether a handshake record after a ChangeCipherSpec is nevertheless a hello, as long as the version is not known.

    In TLS 1.3 the ChangeCipherSpec before a second ClientHello, or after a HelloRetryRequest, has no meaning (RFC 9846 appendix
    E.4). If other hellos are not in the capture, only this one shows that it is TLS 1.3. version: of the session so far, or 0.
    """
    body: bytes = record.body
    if version != 0 or len(body) < 4 or body[0] != (SERVER_HELLO if record.role else CLIENT_HELLO):
        return False
    return (body[1] << 16 | body[2] << 8 | body[3]) == record.length - 4
