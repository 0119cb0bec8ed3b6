# cython: annotation_typing=False
"""Checks the messages of a handshake when it has ended, and keeps what is wrong with them.

`message_order` and `message_rules` have the rules. Most handshakes of a capture have the same messages, so their result is
remembered: by the messages of both roles, and by what determines which messages are needed.
"""

from collections.abc import Collection
from typing import Any

from analyzer.tls.handshake.exchange_check import check_exchange
from analyzer.tls.handshake.hello_features import requested_schemes
from analyzer.tls.handshake.message_order import Fault, Kind, sequence
from analyzer.tls.handshake.message_rules import faults
from analyzer.tls.handshake.states import State
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.messages.hello import ClientHello, ServerHello
from analyzer.tls.messages.numbers import CLIENT_HELLO, HEADER, SERVER_HELLO, SESSION_TICKET

REMEMBERED = 4096
"""Maximum number of handshakes whose result is kept."""

LONGEST_REMEMBERED = 64
"""Longest handshake, in messages of both roles, whose result is kept."""

_KNOWN: dict[tuple[Any, ...], tuple[Any, Any, list[Fault]]] = {}
"""Results, with the hellos' fingerprint inputs, whose identity is part of the key; the entry keeps them alive."""

_CLIENT, _SERVER = 0, 1


def check_order(handshake: Any) -> None:
    """Check the messages of a handshake that is over: add findings, and note what is no proof because of them.

    handshake: the `SessionHandshake`. Its roles begin a new handshake.
    """
    client, server = handshake.roles
    if not client.sent.numbers and not server.sent.numbers:
        return
    again = not handshake.parameters.tls13 and client.sent.origin == State.CONNECTED
    handshake.authentication.offered[_SERVER] = None if again else _schemes(handshake.hellos)
    found = _faults(handshake, again) if handshake.parameters.version else []
    for fault in found:
        frames = handshake.roles[fault.role].sent.frames
        handshake.log.add_finding(fault.code, fault.severity, fault.detail, frames[fault.place] if frames else 0)
        if fault.doubt and not handshake.authentication.doubts[fault.role]:
            handshake.authentication.doubts[fault.role] = fault.doubt
    check_exchange(handshake)
    client.sent.begin(client.state)
    server.sent.begin(server.state)


def _faults(handshake: Any, again: bool) -> list[Fault]:
    """Return what is wrong with the messages of a handshake, remembered or new. again: whether it is a renegotiation."""
    client, server = handshake.roles[_CLIENT].sent, handshake.roles[_SERVER].sent
    parameters, hellos = handshake.parameters, handshake.hellos
    resumable = None
    if parameters.resumption and not parameters.tls13:  # of a session that is found by what it offers, the offer is known
        resumable = handshake.resumed_from is not None or _resumable(handshake.transcript)
    offer, answer = hellos.fingerprint_input, hellos.server_fingerprint_input
    begins = _begins(handshake, client.numbers), _begins(handshake, server.numbers)
    key = (
        bytes(client.numbers), bytes(server.numbers), client.origin, server.origin, parameters.version, parameters.cipher_suite,
        id(offer), id(answer), parameters.agreed, resumable, begins,
    )  # fmt: skip
    shared = hellos.ech is None and not again
    known = _KNOWN.get(key) if shared else None
    if known is not None:
        return known[2]
    offered, answered = _offered(hellos), None if answer is None else answer[2]
    if again:
        offered, answered = _types_again(handshake.transcript)
    kind = Kind(parameters.tls13, parameters.version, parameters.suite, offered, answered, parameters.agreed, resumable)
    ours, theirs = (sequence(role, one.origin, bytes(one.numbers), begins[role]) for role, one in enumerate((client, server)))
    found = faults(ours, theirs, kind)
    if shared and len(client.numbers) + len(server.numbers) <= LONGEST_REMEMBERED:
        if len(_KNOWN) >= REMEMBERED:
            _KNOWN.clear()
        _KNOWN[key] = offer, answer, found
    return found


def _begins(handshake: Any, sent: bytearray) -> bool:
    """Return whether the capture has what a role sent first: its hello, or everything. sent: the types of its messages."""
    whole = not handshake.flow.late and not handshake.log.gaps
    return not handshake.flow.mid_stream and (whole or sent[:1] in (bytes((CLIENT_HELLO,)), bytes((SERVER_HELLO,))))


def _offered(hellos: Any) -> Collection[int] | None:
    """Return the extension types of the ClientHello that counts; None if it was not seen, or is hidden (RFC 9849)."""
    if hellos.ech is None:
        return None if hellos.fingerprint_input is None else hellos.fingerprint_input[2]
    inner = hellos.ech.body
    return None if inner is None or inner.extensions is None else [extension.type for extension in inner.extensions]


def _schemes(hellos: Any) -> tuple[int, ...] | None:
    """Return the signature schemes of the ClientHello that counts; None if they are not known."""
    if hellos.ech is None:
        return None if hellos.fingerprint_input is None else hellos.fingerprint_input[5]
    return None if hellos.ech.body is None else requested_schemes(hellos.ech.body)


def _types_again(transcript: Transcript) -> tuple[Collection[int] | None, Collection[int] | None]:
    """Return the extension types of the hellos of a renegotiation; None for a hello that is not whole."""
    found: list[Collection[int] | None] = [None, None]
    for role, raw in transcript.steps(False):
        if raw is not None and raw[0] in (CLIENT_HELLO, SERVER_HELLO) and found[role] is None:
            hello, problems = (ServerHello if role else ClientHello).read(raw[HEADER:])
            found[role] = None if problems else [extension.type for extension in hello.extensions or ()]
    return found[_CLIENT], found[_SERVER]


def _resumable(transcript: Transcript) -> bool | None:
    """Return whether a ClientHello offers a ticket, or the session id of the answer; None if a hello is not whole."""
    offer = answer = None
    for role, raw in transcript.steps(False):
        if raw is not None and role == _CLIENT and raw[0] == CLIENT_HELLO:
            offer, problems = ClientHello.read(raw[HEADER:])
        elif raw is not None and role == _SERVER and raw[0] == SERVER_HELLO:
            answer, problems = ServerHello.read(raw[HEADER:])
        else:
            continue
        if problems:
            return None
    if offer is None or answer is None:
        return None
    if getattr(offer.extension(SESSION_TICKET), "ticket", None):
        return True
    return bool(offer.legacy_session_id) and offer.legacy_session_id == answer.legacy_session_id_echo
