# cython: annotation_typing=False
"""Checks the values of a key exchange when its handshake has ended, and keeps what is wrong with them.

`exchange_rules` has the rules. What they need is read from messages that are whole in the capture: key shares, a
ServerKeyExchange, a ClientKeyExchange, and the premaster secret if the server's RSA key is known (RFC 5246 section 7.4.7.1).
"""

from typing import Any

from analyzer.tls.handshake.exchange_rules import (
    Weakness,
    client_exchange,
    rolled_back,
    server_exchange,
    share_key,
    weak_hash,
)
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.states import RoleState, State
from analyzer.tls.messages.numbers import (
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    HEADER,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    TLS_1_2,
)

_CLIENT, _SERVER, _CONNECTED = 0, 1, State.CONNECTED.value


def check_exchange(handshake: Any) -> None:
    """Add findings about the key exchange of a handshake that is over. handshake: the `SessionHandshake`."""
    parameters: Parameters = handshake.parameters
    hellos: Hellos = handshake.hellos
    client: RoleState = handshake.roles[_CLIENT]
    exchange, answer = parameters.exchange, hellos.exchange
    parameters.exchange = hellos.exchange = None
    if exchange is not None:
        _report(handshake, _SERVER, SERVER_KEY_EXCHANGE, server_exchange(exchange))
    if answer is not None:
        modulus = getattr(getattr(exchange, "params", None), "dh_p", None) or b""
        _report(handshake, _CLIENT, CLIENT_KEY_EXCHANGE, client_exchange(answer, modulus))
        if handshake.decryption is not None:
            secrets = handshake.decryption.schedule12.premasters
            offered = handshake.transcript.offered_version() or 0
            _report(
                handshake, _CLIENT, CLIENT_KEY_EXCHANGE, rolled_back(parameters.suite, secrets, offered, parameters.version)
            )
    if parameters.version == TLS_1_2 and CERTIFICATE_VERIFY in client.sent.numbers:
        _check_signature(handshake)
    if client.sent.origin != _CONNECTED and parameters.group >= 0:
        _check_shares(handshake, parameters, hellos, client.sent.numbers)


def _check_shares(handshake: Any, parameters: Parameters, hellos: Hellos, sent: bytearray) -> None:
    """Check the public keys of a first handshake on a curve, or in TLS 1.3. sent: the types of the client's messages."""
    group, public = parameters.group, parameters.public_key
    if public:
        number = SERVER_HELLO if parameters.tls13 else SERVER_KEY_EXCHANGE
        _report(handshake, _SERVER, number, share_key("server", group, public))
    if parameters.tls13 and hellos.ech is None:
        found = None
        for key in hellos.public_keys:
            if len(key) == len(public):  # the groups of its shares are not kept, and another one has keys of that length too
                found = share_key("client", group, key)
                if not found:
                    return
        if found:
            _report(handshake, _CLIENT, CLIENT_HELLO, found)
    elif not parameters.tls13 and hellos.public_keys and CLIENT_KEY_EXCHANGE in sent:
        keys = hellos.public_keys
        _report(handshake, _CLIENT, CLIENT_KEY_EXCHANGE, share_key("client", group, keys[len(keys) - 1]))


def _check_signature(handshake: Any) -> None:
    """Check the hash of the client's CertificateVerify of TLS 1.2."""
    for role, raw in handshake.transcript.steps(False):
        if role == _CLIENT and raw is not None and raw[0] == CERTIFICATE_VERIFY and len(raw) > HEADER + 1:
            scheme = int.from_bytes(raw[HEADER : HEADER + 2], "big")
            _report(handshake, _CLIENT, CERTIFICATE_VERIFY, weak_hash("client", "CertificateVerify", scheme))


def _report(handshake: Any, role: int, number: int, found: list[Weakness]) -> None:
    """Add findings with the frame of the last message of that type of a role."""
    if not found:
        return
    sent = handshake.roles[role].sent
    place = sent.numbers.rfind(number)
    for code, severity, detail in found:
        handshake.log.add_finding(code, severity, detail, sent.frames[place] if place >= 0 else 0)
