# cython: annotation_typing=False
"""Checks each handshake message against the hellos when it is read, and reports what it breaks.

`offer_rules`, `answer_rules`, `retry_rules` and `content_rules` have the rules. Servers answer a kind of hello in few ways. So
the result for an answer is remembered: by the offer, and by the bytes of the answer that do not depend on the connection.
Nothing is compared with a hello that the capture does not have in whole, or that Encrypted Client Hello hides (RFC 9849).
"""

from collections.abc import Iterable
from typing import Any

from analyzer.tls.handshake import answer_rules, content_rules, retry_rules
from analyzer.tls.handshake.client_offer import Breach, ClientOffer, client_offer
from analyzer.tls.handshake.ech_offer import ACCEPTED, REJECTED
from analyzer.tls.handshake.hello_features import answer_key, known_hello
from analyzer.tls.handshake.key_alignment import KEY_CHANGES, check_alignment
from analyzer.tls.handshake.key_exchange import exchanged_group
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.handshake.message_reader import MessageReader
from analyzer.tls.handshake.offer_again import breaches_again
from analyzer.tls.handshake.offer_rules import content_breaches, cookie_breaches
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.limits import MAX_REQUESTS
from analyzer.tls.messages.hello import ClientHello, DTLSClientHello, HelloRetryRequest, ServerHello
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    COMPRESS_CERTIFICATE,
    COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    END_OF_EARLY_DATA,
    FINISHED,
    HEADER,
    KEY_UPDATE,
    NEW_SESSION_TICKET,
    PRE_SHARED_KEY,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    SESSION_ID_LENGTH,
    TLS_1_3,
)
from analyzer.tls.suites import suite

REMEMBERED = 4096
"""Maximum number of answers whose result is kept."""

LONGEST_REMEMBERED = 1024
"""Longest answer, in bytes, whose result is kept."""

_KNOWN: dict[tuple[Any, ...], tuple[ClientOffer | None, tuple[Breach, ...]]] = {}
"""Results, with the offer, whose identity is part of the key; the entry keeps it alive."""

NOTHING: tuple[Breach, ...] = ()
"""What a message without a fault breaks; Python has one empty tuple only."""

_CLIENT, _SERVER = 0, 1


def check_message(handshake: Any, role: int, number: int, raw: bytes, body: Any, frame: int) -> None:
    """Check a message that was read without a problem, and whole. A ServerHello has its own function.

    handshake: the `SessionHandshake`, which has processed the message. raw: with its header. `offer_again` has the messages of
    a renegotiation.
    """
    parameters: Parameters = handshake.parameters
    tls13 = parameters.tls13
    if tls13 and _goes_on(handshake, role) and number in KEY_CHANGES:
        check_alignment(handshake, role, number, frame)
    if number == CLIENT_HELLO:
        if role == _CLIENT and not handshake.decrypting:
            _check_client_hello(handshake, raw, body, frame)
    elif handshake.decrypting and not tls13:
        _report(handshake, breaches_again(handshake, role, number, body), frame)
    elif number == SERVER_KEY_EXCHANGE:
        if role == _SERVER:
            _check_exchange(handshake, body, frame)
    elif number == CERTIFICATE_VERIFY:
        _check_signature(handshake, role, body, frame)
    elif parameters.version == TLS_1_3:
        _check_13(handshake, role, number, raw, body, frame)


def check_answer(handshake: Any, raw: bytes, body: Any, frame: int) -> None:
    """Check a ServerHello or a HelloRetryRequest that was read without a problem, and whole."""
    retry = isinstance(body, HelloRetryRequest)
    if not retry and _goes_on(handshake, _SERVER) and handshake.parameters.tls13:
        check_alignment(handshake, _SERVER, SERVER_HELLO, frame)
    if not retry and not isinstance(body, ServerHello):
        return  # of a draft up to 21, or of SSL 2.0
    hellos: Hellos = handshake.hellos
    hello, before = None, None
    client: RoleState = handshake.roles[_CLIENT]
    server: RoleState = handshake.roles[_SERVER]
    if not client.missed and not server.missed and client.n_hellos >= server.n_hellos:  # else a second ClientHello is missing
        hello, before = handshake.transcript.hellos()
    if retry and server.n_hellos == 1 and before is not None:
        hello = before[0]
    offer = None if hello is None else _offer(hellos, retry)
    if before is not None and not retry:
        offer = _after_retry(handshake, offer, before, hello, body, frame)
    n_keys = _n_keys(hellos.offers) if hellos.offers else 0
    _report(handshake, _answer(offer, raw, body, retry, n_keys), frame)
    dtls = handshake.transcript.dtls  # where nothing is echoed (RFC 9147 section 5.3)
    if hello is not None and handshake.parameters.version == TLS_1_3 and hellos.client_seen and not dtls:
        asked, echoed = _session_id(hello), _session_id(raw)
        if asked is not None and asked != echoed:
            name = "HelloRetryRequest" if retry else "ServerHello"
            detail = (
                f"the session id in the {name} is not that of the ClientHello, which it has to echo ({rule(9846, '4.2.3')})"
            )
            _report(handshake, [answer_rules.wrong(detail)], frame)


def _goes_on(handshake: Any, role: int) -> bool:
    """Return whether the record with the message of a role that is processed now has more bytes behind it."""
    reader: MessageReader = handshake.readers[role]
    return reader.pos < len(reader.data)


def _n_keys(offers: dict[int, Any]) -> int:
    """Return the number of pre-shared keys that the client offers."""
    offered = getattr(offers.get(PRE_SHARED_KEY), "identities", None)
    return 0 if offered is None else len(offered)


def _session_id(raw: bytes) -> bytes | None:
    """Return the session id of a hello; None of a malformed one that ends before it does."""
    start = SESSION_ID_LENGTH + 1
    if start > len(raw) or raw[SESSION_ID_LENGTH] > len(raw) - start:
        return None
    return raw[start : start + raw[SESSION_ID_LENGTH]]


def _answer(offer: ClientOffer | None, raw: bytes, body: Any, retry: bool, n_keys: int) -> tuple[Breach, ...]:
    """Return what an answer breaks, remembered or new."""
    key = id(offer), answer_key(body, raw), retry, n_keys
    known = _KNOWN.get(key)
    if known is not None:
        return known[1]
    found = tuple(answer_rules.answer_breaches(body, offer, retry, n_keys))
    if retry and offer is not None:
        found = (*found, *retry_rules.retry_breaches(body, offer))
    if len(raw) <= LONGEST_REMEMBERED:
        if len(_KNOWN) >= REMEMBERED:
            _KNOWN.clear()
        _KNOWN[key] = offer, found
    return found


def _offer(hellos: Hellos, retry: bool = False) -> ClientOffer | None:
    """Return the offer that the server answers; None if it is not known, or is hidden (RFC 9849)."""
    ech = hellos.ech
    if ech is None or ech.status == REJECTED:
        offer: ClientOffer | None = hellos.offer
        return offer
    if ech.status == ACCEPTED and ech.body is not None and len(ech.hellos) == 1 and not retry:
        return client_offer(ech.body)
    return None


# Retries.


def _is_again(handshake: Any, body: Any) -> bool:
    """Return whether a ClientHello repeats the one before a HelloVerifyRequest (RFC 6347 section 4.2.1)."""
    earlier = sum(1 for message in handshake.log.messages[:4] if message.type == CLIENT_HELLO)
    return bool(getattr(body, "legacy_cookie", b"")) and earlier > 1


def _check_client_hello(handshake: Any, raw: bytes, body: Any, frame: int) -> None:
    """Check a ClientHello by itself or, as the second one after a HelloRetryRequest, against the first one."""
    hellos: Hellos = handshake.hellos
    client: RoleState = handshake.roles[_CLIENT]
    if client.n_hellos == 1 and hellos.offer is not None and not _is_again(handshake, body):
        _report(handshake, hellos.offer.breaches, frame)
        _report(handshake, content_breaches(body), frame)
        return
    flow = handshake.flow
    begins = handshake.transcript.sequence == 0  # which in DTLS is the number of this message
    if client.n_hellos == 1 and begins and not (client.missed or flow.late or flow.mid_stream or handshake.log.gaps):
        _report(handshake, cookie_breaches(body), frame)
    table = type(body)
    if client.missed or handshake.roles[_SERVER].missed or client.n_hellos != 2 or table not in (ClientHello, DTLSClientHello):
        return
    second, before = handshake.transcript.hellos()
    if before is None or second != raw:
        return
    first, retry = _read(table, before[0]), _read(HelloRetryRequest, before[1])
    if first is not None and retry is not None:
        _report(handshake, retry_rules.second_hello_breaches(first, retry, body), frame)


def _after_retry(
    handshake: Any, offer: ClientOffer | None, before: tuple[bytes, bytes], hello: bytes | None, answer: Any, frame: int
) -> ClientOffer | None:
    """Compare a ServerHello with the retry before it. Returns the offer of the second ClientHello, None if it is not known."""
    retry = _read(HelloRetryRequest, before[1])
    if retry is not None:
        _report(handshake, retry_rules.after_retry_breaches(retry, answer), frame)
    if offer is None or hello is None or handshake.hellos.ech is not None:
        return None
    second = _read(DTLSClientHello if handshake.transcript.dtls else ClientHello, hello)
    return None if second is None else known_hello(second, hello, True)[1]


def _read(table: Any, raw: bytes) -> Any:
    """Return a message decoded; None if it cannot be read without a problem."""
    body, problems = table.read(raw[HEADER:])
    return None if problems else body


# Messages behind the hellos.


def _check_exchange(handshake: Any, body: Any, frame: int) -> None:
    """Check a ServerKeyExchange. The result depends on the offer, the group, the scheme and the cipher suite."""
    offer = _offer(handshake.hellos)
    parameters: Parameters = handshake.parameters
    scheme = getattr(getattr(body, "signed_params", None), "algorithm", None)
    key = id(offer), exchanged_group(body), scheme, parameters.cipher_suite
    _report(
        handshake, _remembered(key, offer, content_rules.exchange_breaches, body, offer, suite(parameters.cipher_suite)), frame
    )


def _remembered(key: tuple[Any, ...], offer: ClientOffer | None, rules: Any, *facts: Any) -> tuple[Breach, ...]:
    """Return what the rules say of the facts, remembered or new. offer: whose identity is part of the key."""
    known = _KNOWN.get(key)
    if known is None:
        if len(_KNOWN) >= REMEMBERED:
            _KNOWN.clear()
        known = _KNOWN[key] = offer, tuple(rules(*facts))
    return known[1]


def _check_signature(handshake: Any, role: int, body: Any, frame: int) -> None:
    """Check the scheme of a CertificateVerify in the handshake."""
    scheme = getattr(body, "algorithm", None)
    if scheme is None or handshake.roles[_CLIENT].finished:
        return
    offer = _offer(handshake.hellos)
    offered = (None if offer is None else offer.schemes) if role else handshake.authentication.offered[_CLIENT]
    if offered is not None and scheme not in offered:
        _report(handshake, content_rules.scheme_breaches(role, scheme, offered, handshake.parameters.tls13), frame)
    if handshake.parameters.version == TLS_1_3:
        _report(handshake, content_rules.forbidden_breaches(role, scheme), frame)


def _check_13(handshake: Any, role: int, number: int, raw: bytes, body: Any, frame: int) -> None:
    """Check a message of TLS 1.3 that only secrets show."""
    parameters = handshake.parameters
    if number == KEY_UPDATE:
        _report(handshake, content_rules.update_breaches(body, role), frame)
    elif role != _SERVER:
        known = not handshake.roles[_SERVER].missed and len(parameters.requests) < MAX_REQUESTS
        if number == CERTIFICATE and known:
            _report(handshake, content_rules.client_breaches(body, parameters.requests), frame)
        elif number == COMPRESSED_CERTIFICATE and known and parameters.requests:
            accepted = tuple(one for _, _, algorithms in parameters.requests for one in algorithms)
            _report(handshake, content_rules.compression_breaches(role, body.algorithm, accepted), frame)
        elif number == NEW_SESSION_TICKET:
            detail = f"the client sent a NewSessionTicket, which only servers send ({rule(9846, '4.7.1')})"
            handshake.log.add_finding("unexpected_message", "medium", detail, frame)
    elif number == ENCRYPTED_EXTENSIONS:
        selected = None if handshake.hellos.server_fingerprint_input is None else parameters.selected  # it can be cut
        offer = _offer(handshake.hellos)
        rules = content_rules.extensions_breaches
        if len(raw) > LONGEST_REMEMBERED:
            _report(handshake, rules(body, offer, selected), frame)
        else:
            _report(handshake, _remembered((id(offer), raw, selected), offer, rules, body, offer, selected), frame)
    elif number == CERTIFICATE:
        offer = _offer(handshake.hellos)
        _report(handshake, content_rules.certificate_breaches(body, offer, parameters.agreed), frame)
    elif number == CERTIFICATE_REQUEST:
        server = handshake.roles[_SERVER]
        later = server.connected or server.missed  # its Finished may be in what is missing
        _report(handshake, content_rules.request_breaches(body, later, parameters.requests), frame)
    elif number == COMPRESSED_CERTIFICATE:
        hello = None if handshake.roles[_CLIENT].missed else handshake.transcript.hellos()[0]
        table = DTLSClientHello if handshake.transcript.dtls else ClientHello
        offered = None if hello is None or _offer(handshake.hellos) is None else _read(table, hello)
        if offered is not None and offered.extension(COMPRESS_CERTIFICATE) is not None:  # else it has no place at all
            accepted = tuple(offered.extension(COMPRESS_CERTIFICATE).algorithms or ())
            _report(handshake, content_rules.compression_breaches(role, body.algorithm, accepted), frame)
    elif number == NEW_SESSION_TICKET and body.ticket_lifetime > content_rules.LONGEST_LIFETIME:
        _report(handshake, content_rules.ticket_breaches(body), frame)


def _report(handshake: Any, breaches: Iterable[Breach], frame: int) -> None:
    if breaches is not NOTHING:
        for breach in breaches:
            handshake.log.add_finding(breach.code, breach.severity, breach.detail, frame)


CHECKED = frozenset({CLIENT_HELLO, SERVER_HELLO, SERVER_KEY_EXCHANGE, CERTIFICATE_VERIFY})
"""The messages that `check_message` has rules for, up to TLS 1.2; for a ServerHello, those of a renegotiation."""

CHECKED_13 = frozenset(
    {
        CLIENT_HELLO, CERTIFICATE_VERIFY, KEY_UPDATE, ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_REQUEST,
        NEW_SESSION_TICKET, FINISHED, END_OF_EARLY_DATA, COMPRESSED_CERTIFICATE,
    }
)  # fmt: skip
"""The same in TLS 1.3."""
