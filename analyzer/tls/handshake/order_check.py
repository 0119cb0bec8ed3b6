# cython: annotation_typing=False
"""Checks the messages of a handshake when it has ended, and keeps what is wrong with them.

`message_order` and `message_rules` have the rules. Most handshakes of a capture have the same messages, so their result is
remembered: by the messages of both roles, and by what determines which messages are needed.
"""

from collections.abc import Collection
from typing import Any

from analyzer.flows.flow import Flow
from analyzer.tls.handshake.authentication import Authentication
from analyzer.tls.handshake.exchange_check import check_exchange
from analyzer.tls.handshake.hello_features import requested_schemes
from analyzer.tls.handshake.message_order import Fault, Kind, sequence
from analyzer.tls.handshake.message_rules import faults
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.states import RoleState, SentMessages, State
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.messages.hello import ClientHello, ServerHello
from analyzer.tls.messages.numbers import CLIENT_HELLO, HEADER, SERVER_HELLO, SESSION_TICKET

REMEMBERED = 4096
"""Maximum number of handshakes whose result is kept."""

LONGEST_REMEMBERED = 64
"""Longest handshake, in messages of both roles, whose result is kept."""

_KNOWN: dict[tuple[Any, ...], tuple[Any, Any, list[Fault]]] = {}
"""Results, with the hellos' fingerprint inputs, whose identity is part of the key; the entry keeps them alive."""

_CLIENT, _SERVER, _CONNECTED = 0, 1, State.CONNECTED.value

_NO_FAULTS: list[Fault] = []


def check_order(handshake: Any) -> None:
    """Check the messages of a handshake that is over: add findings, and note what is no proof because of them.

    handshake: the `SessionHandshake`. Its roles begin a new handshake.
    """
    roles = handshake.roles
    client: RoleState = roles[_CLIENT]
    server: RoleState = roles[_SERVER]
    if not client.sent.numbers and not server.sent.numbers:
        return
    parameters: Parameters = handshake.parameters
    hellos: Hellos = handshake.hellos
    authentication: Authentication = handshake.authentication
    again = not parameters.tls13 and client.sent.origin == _CONNECTED
    authentication.offered[_SERVER] = None if again else _schemes(hellos)
    found = _faults(handshake, parameters, hellos, client.sent, server.sent, again) if parameters.version else _NO_FAULTS
    for fault in found:
        frames = roles[fault.role].sent.frames
        handshake.log.add_finding(fault.code, fault.severity, fault.detail, frames[fault.place] if frames else 0)
        if fault.doubt and not authentication.doubts[fault.role]:
            authentication.doubts[fault.role] = fault.doubt
    check_exchange(handshake)
    client.sent.begin(client.state)
    server.sent.begin(server.state)


def _faults(
    handshake: Any, parameters: Parameters, hellos: Hellos, client: SentMessages, server: SentMessages, again: bool
) -> list[Fault]:
    """Return what is wrong with the messages of a handshake, remembered or new. again: whether it is a renegotiation."""
    resumable = None
    if parameters.resumption and not parameters.tls13:  # of a session that is found by what it offers, the offer is known
        resumable = handshake.resumed_from is not None or _resumable(handshake.transcript)
    offer, answer = hellos.fingerprint_input, hellos.server_fingerprint_input
    begins = _begins(handshake, client.numbers), _begins(handshake, server.numbers)
    key = (
        client.numbers.decode("latin-1"), server.numbers.decode("latin-1"), client.origin, server.origin, parameters.version,
        parameters.cipher_suite, id(offer), id(answer), parameters.agreed, resumable, begins,
    )  # fmt: skip
    shared = hellos.ech is None and not again
    known = _KNOWN.get(key) if shared else None
    if known is not None:
        return known[2]
    found = _find_faults(handshake, again, resumable, begins)
    if shared and len(client.numbers) + len(server.numbers) <= LONGEST_REMEMBERED:
        if len(_KNOWN) >= REMEMBERED:
            _KNOWN.clear()
        _KNOWN[key] = offer, answer, found
    return found


def _find_faults(handshake: Any, again: bool, resumable: bool | None, begins: tuple[bool, bool]) -> list[Fault]:
    """Return what is wrong with the messages of a handshake. begins: see `_begins`, by role."""
    parameters, hellos = handshake.parameters, handshake.hellos
    answer = hellos.server_fingerprint_input
    offered, answered = _offered(hellos), None if answer is None else answer[2]
    if again:
        offered, answered = _types_again(handshake.transcript)
    kind = Kind(parameters.tls13, parameters.version, parameters.suite, offered, answered, parameters.agreed, resumable)
    client, server = (
        sequence(role, handshake.roles[role].sent.origin, bytes(handshake.roles[role].sent.numbers), begins[role])
        for role in (_CLIENT, _SERVER)
    )
    return faults(client, server, kind)


def _begins(handshake: Any, sent: bytearray) -> bool:
    """Return whether the capture has what a role sent first: its hello, or everything. sent: the types of its messages."""
    flow: Flow = handshake.flow
    if flow.mid_stream:
        return False
    return (len(sent) > 0 and (sent[0] == CLIENT_HELLO or sent[0] == SERVER_HELLO)) or not (flow.late or handshake.log.gaps)


def _offered(hellos: Any) -> Collection[int] | None:
    """Return the extension types of the ClientHello that counts; None if it was not seen, or is hidden (RFC 9849)."""
    if hellos.ech is None:
        return None if hellos.fingerprint_input is None else hellos.fingerprint_input[2]
    inner = hellos.ech.body
    return None if inner is None or inner.extensions is None else [extension.type for extension in inner.extensions]


def _schemes(hellos: Hellos) -> tuple[int, ...] | None:
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
