"""Has the rules about the answers in a renegotiation, which has its own offer (RFC 5246 section 7.4.1, RFC 5746).

A renegotiation is a whole handshake under the keys of the one before it, so it is seen only with secrets. Its ServerHello, key
exchange and signatures are compared with its own ClientHello and its own CertificateRequest. It keeps the version: TLS 1.3 has
no renegotiation (RFC 9846 section 4.2.2). `renegotiation` compares the Finished values that both hellos repeat.
"""

from collections.abc import Iterator
from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.handshake.answer_rules import answer_breaches, wrong
from analyzer.tls.handshake.client_offer import Breach, ClientOffer, client_offer
from analyzer.tls.handshake.content_rules import exchange_breaches, scheme_breaches
from analyzer.tls.handshake.hello_features import is_tls13, selected_version
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.messages.hello import ClientHello, ServerHello
from analyzer.tls.messages.numbers import CERTIFICATE_VERIFY, HEADER, SERVER_HELLO, SERVER_KEY_EXCHANGE

_CLIENT, _SERVER = 0, 1


def breaches_again(handshake: Any, role: int, number: int, body: Any) -> Iterator[Breach]:
    """Yield what a decrypted message of a renegotiation breaks, which was read without a problem, and whole.

    handshake: the `SessionHandshake`, which has processed the message.
    """
    if number == CERTIFICATE_VERIFY:
        offered = handshake.authentication.offered[_CLIENT]
        scheme = getattr(body, "algorithm", None)
        if role == _CLIENT and scheme is not None and offered is not None:
            yield from scheme_breaches(role, scheme, offered, tls13=False)
        return
    if role != _SERVER:
        return
    offer = _offer(handshake)
    if number == SERVER_HELLO and isinstance(body, ServerHello):
        yield from _answer(body, offer, handshake.parameters.version)
    elif number == SERVER_KEY_EXCHANGE:
        yield from exchange_breaches(body, offer, handshake.parameters.suite)


def _answer(answer: Any, offer: ClientOffer | None, version: int) -> Iterator[Breach]:
    """Yield what a ServerHello breaks. version: of the handshake before it."""
    chosen = selected_version(answer)
    if is_tls13(chosen):
        before, after = (registry("versions").name(number) for number in (version, chosen))
        yield wrong(f"the server renegotiates a session of {before} to {after} ({rule(9846, '4.2.2')})")
        return
    yield from answer_breaches(answer, offer, retry=False, n_keys=0, again=True)


def _offer(handshake: Any) -> ClientOffer | None:
    """Return what the ClientHello of the renegotiation offers; None if it is not in the capture."""
    client, server = handshake.roles
    if client.missed or server.missed:
        return None
    raw, _ = handshake.transcript.hellos()
    if raw is None:
        return None
    hello, problems = ClientHello.read(raw[HEADER:])
    return None if problems else client_offer(hello)
