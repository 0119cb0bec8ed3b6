"""Has the rules about messages of a handshake that concern both roles, and checks a handshake by them.

A client certificate needs a request (RFC 5246 section 7.4.6, RFC 9846 section 4.5.1), and the key exchange and the cipher suite
determine which messages the server has to send (RFC 5246 section 7.4.3). Some messages have to be offered or announced in a
hello: CertificateStatus, NewSessionTicket, CompressedCertificate, CertificateRequest after the handshake. A capture can show
one direction late, so all of this is checked when the handshake has ended. What concerns one role alone is in `message_order`.
"""

from collections.abc import Iterator

from analyzer.tls.handshake.message_order import (
    CERTIFICATES,
    PROOF,
    Fault,
    Kind,
    Sequence,
    missing,
    out_of_order,
    rule,
    unexpected,
)
from analyzer.tls.handshake.states import CHANGE, State
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CERTIFICATE_URL,
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    COMPRESS_CERTIFICATE,
    COMPRESSED_CERTIFICATE,
    EARLY_DATA,
    ENCRYPTED_EXTENSIONS,
    END_OF_EARLY_DATA,
    FINISHED,
    HELLO_RETRY_REQUEST,
    NEW_SESSION_TICKET,
    PRE_SHARED_KEY,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    SESSION_TICKET,
    STATUS_REQUEST,
    TLS_1_0,
)
from analyzer.tls.suites import Suite

STATUS_REQUEST_V2 = 17
CERT_WITH_EXTERN_PSK, POST_HANDSHAKE_AUTH = 33, 49
APPLICATION_SETTINGS = frozenset({17513, 17613})

CERTIFIED = frozenset({"RSA", "DSS", "ECDSA", "RSA_PSK", "SRP_RSA", "SRP_DSS"})
"""Authentication methods with a certificate of the server (RFC 5246 section 7.4.2)."""

EPHEMERAL = frozenset({"DHE", "ECDHE", "DHE_PSK", "ECDHE_PSK", "SRP"})
"""Key exchanges with a ServerKeyExchange (RFC 5246 section 7.4.3, RFC 4279, RFC 5054); DH and ECDH too if anonymous."""

STATIC = frozenset({"RSA", "DH", "ECDH"})
"""Key exchanges without a ServerKeyExchange, except anonymous ones and RSA for export (RFC 5246 section 7.4.3)."""

SIGNING = frozenset({"RSA", "DHE", "ECDHE"})
"""Key exchanges in which a client with a certificate always signs. With the others the key of its certificate can be in the key
exchange instead (RFC 5246 section 7.4.8)."""


def faults(client: Sequence, server: Sequence, kind: Kind) -> list[Fault]:
    """Return what is wrong with the messages of a handshake, or after the handshake (TLS 1.3)."""
    found = [*out_of_order(client, kind), *out_of_order(server, kind)]
    if kind.tls13:
        if client.origin == State.CONNECTED or server.origin == State.CONNECTED:
            found += _later_13(client, server, kind)
        else:
            found += _rules_13(client, server, kind)
    else:
        found += _rules_12(client, server, kind)
    return found


# Both roles, up to TLS 1.2.


def _rules_12(client: Sequence, server: Sequence, kind: Kind) -> Iterator[Fault]:
    """Yield what the rules up to TLS 1.2 say about the messages of both roles."""
    suite = kind.suite
    if suite is None or suite.tls13:
        return
    done = server.through(SERVER_HELLO_DONE)
    changed = client.through(CHANGE)
    if done:
        yield from _server_flight(server, done, suite, kind)
        if changed:
            yield from _client_flight(client, changed, done, suite, kind)
    answer = done or server.through(CHANGE)
    if CERTIFICATE_STATUS in answer and kind.offered is not None and kind.answered is not None:
        asked = STATUS_REQUEST in kind.offered or STATUS_REQUEST_V2 in kind.offered
        agreed = STATUS_REQUEST in kind.answered or STATUS_REQUEST_V2 in kind.answered
        if not asked or not agreed:
            yield unexpected(server, CERTIFICATE_STATUS, "which was not agreed on", rule(6066, "8"))
    yield from _ticket(server, kind)
    if done:
        if CERTIFICATE_REQUEST not in done:
            yield from _unasked(client, rule(5246, "7.4.6"))
    elif server.through(CHANGE):
        yield from _abbreviated(client, server, kind)


def _server_flight(server: Sequence, done: list[int], suite: Suite, kind: Kind) -> Iterator[Fault]:
    """Yield what is wrong with the messages of a server from ServerHello to ServerHelloDone."""
    anonymous = suite.authentication == "anon"
    exchange = suite.key_exchange
    sends_certificate = bool(CERTIFICATES.intersection(done))
    if suite.authentication in CERTIFIED and not server.lists:
        yield missing(server, CERTIFICATE, done[-1], f"which {suite.name} needs", rule(5246, "7.4.2"))
    if sends_certificate and (anonymous or suite.authentication in ("PSK", "SRP")):
        yield unexpected(server, CERTIFICATE, f"which {suite.name} does not have", rule(5246, "7.4.2"))
    if exchange in EPHEMERAL or (anonymous and exchange in STATIC):
        if SERVER_KEY_EXCHANGE not in done:
            yield missing(server, SERVER_KEY_EXCHANGE, done[-1], f"which {suite.name} needs", rule(5246, "7.4.3"))
    elif exchange in STATIC and SERVER_KEY_EXCHANGE in done and not suite.export:
        yield unexpected(server, SERVER_KEY_EXCHANGE, f"which {suite.name} does not have", rule(5246, "7.4.3"))
    if CERTIFICATE_REQUEST in done and (anonymous or suite.authentication == "PSK"):
        yield unexpected(server, CERTIFICATE_REQUEST, f"which {suite.name} does not have", rule(5246, "7.4.4"))


def _client_flight(client: Sequence, changed: list[int], done: list[int], suite: Suite, kind: Kind) -> Iterator[Fault]:
    """Yield what is wrong with the messages of a client from ClientHello to ChangeCipherSpec."""
    if CLIENT_KEY_EXCHANGE not in changed:
        why = "although the server's messages are those of a full handshake"
        yield missing(client, CLIENT_KEY_EXCHANGE, changed[-1], why, rule(5246, "7.4.7"))
    sends_certificate = CERTIFICATE in changed or CERTIFICATE_URL in changed
    if CERTIFICATE_REQUEST in done and not sends_certificate and kind.version >= TLS_1_0:
        yield missing(client, CERTIFICATE, changed[-1], "although the server requested one", rule(5246, "7.4.6"))
    yield from _unsigned(client, changed, suite.key_exchange in SIGNING, rule(5246, "7.4.8"))


def _unsigned(client: Sequence, sent: list[int], signs: bool, where: str) -> Iterator[Fault]:
    """Yield a client's certificate without a signature, or the reverse. signs: whether its certificate requires one."""
    listed = (client.lists and not CERTIFICATES.isdisjoint(sent)) or CERTIFICATE_URL in sent
    if listed and signs and CERTIFICATE_VERIFY not in sent:
        yield missing(client, CERTIFICATE_VERIFY, sent[-1], "although it sent a certificate", where)
    elif not listed and CERTIFICATE_VERIFY in sent:
        yield unexpected(client, CERTIFICATE_VERIFY, "although it sent no certificate", where)


def _unasked(client: Sequence, where: str) -> Iterator[Fault]:
    """Yield the Certificate of a client that was not requested."""
    for number in CERTIFICATES.intersection(client.known):
        yield unexpected(client, number, "which nobody had requested", where)


def _ticket(server: Sequence, kind: Kind) -> Iterator[Fault]:
    """Yield a ticket that the ServerHello does not announce, and one that it announces and that is missing."""
    changed = server.through(CHANGE)
    if kind.answered is None or not changed:
        return
    sent, announced = NEW_SESSION_TICKET in changed, SESSION_TICKET in kind.answered
    if sent and not announced:
        yield unexpected(server, NEW_SESSION_TICKET, "which its ServerHello did not announce", rule(5077, "3.3"))
    elif announced and not sent:
        yield missing(server, NEW_SESSION_TICKET, CHANGE, "which its ServerHello announced", rule(5077, "3.3"))


def _abbreviated(client: Sequence, server: Sequence, kind: Kind) -> Iterator[Fault]:
    """Yield what is wrong with a handshake in which the server goes from its hello to ChangeCipherSpec."""
    if PROOF.intersection(server.known):
        return
    if CLIENT_KEY_EXCHANGE in client.known:
        why = "although the client's messages are those of a full handshake"
        yield missing(server, SERVER_HELLO_DONE, CHANGE, why, rule(5246, "7.3"))
    elif kind.resumable is False:
        why = "although the client offered no session that it could resume"
        yield missing(server, SERVER_HELLO_DONE, CHANGE, why, rule(5246, "7.3"))


# Both roles, TLS 1.3.


def _rules_13(client: Sequence, server: Sequence, kind: Kind) -> Iterator[Fault]:
    """Yield what the rules of TLS 1.3 say about the messages of both roles up to their Finished."""
    flight, answer = server.through(FINISHED), client.through(FINISHED)
    psk = None if kind.answered is None else PRE_SHARED_KEY in kind.answered
    both = kind.answered is not None and CERT_WITH_EXTERN_PSK in kind.answered
    if flight and psk is False and not server.lists:
        yield missing(server, CERTIFICATE, FINISHED, "and no pre-shared key was chosen", rule(9846, "4.5.1"))
    if psk and not both:
        for number in sorted(PROOF.intersection(flight) | ({CERTIFICATE_REQUEST} & set(flight))):
            if number != CERTIFICATE_VERIFY:
                yield unexpected(server, number, "although a pre-shared key was chosen", rule(9846, "4.4.2"))
    if COMPRESSED_CERTIFICATE in server.known and kind.offered is not None and COMPRESS_CERTIFICATE not in kind.offered:
        yield unexpected(server, COMPRESSED_CERTIFICATE, "which the client did not offer", rule(8879, "4"))
    if not answer:
        return
    if CERTIFICATE_REQUEST in flight:
        if not CERTIFICATES.intersection(answer):
            yield missing(client, CERTIFICATE, FINISHED, "although the server requested one", rule(9846, "4.5.1"))
    elif flight:
        yield from _unasked(client, rule(9846, "4.5.1"))
    yield from _unsigned(client, answer, True, rule(9846, "4.5.2"))
    if ENCRYPTED_EXTENSIONS in server.known and kind.agreed is not None:
        if END_OF_EARLY_DATA in answer and EARLY_DATA not in kind.agreed:
            why = "although the server did not accept early data"
            yield unexpected(client, END_OF_EARLY_DATA, why, rule(9846, "4.6"))
        if ENCRYPTED_EXTENSIONS in answer and not APPLICATION_SETTINGS.intersection(kind.agreed):
            why = "although no application settings were agreed on"
            yield unexpected(client, ENCRYPTED_EXTENSIONS, why, rule(9846, "4.4.1"))
    if server.n_known and HELLO_RETRY_REQUEST not in server.known and SERVER_HELLO in server.known:
        if answer.count(CLIENT_HELLO) > 1:
            why = "although the server had not requested another one"
            yield unexpected(client, CLIENT_HELLO, why, rule(9846, "4.2.1"), answer.index(CLIENT_HELLO) + 1)
    elif HELLO_RETRY_REQUEST in server.known and answer.count(CLIENT_HELLO) == 1:
        yield missing(client, CLIENT_HELLO, FINISHED, "although the server requested another one", rule(9846, "4.2.1"))


def _later_13(client: Sequence, server: Sequence, kind: Kind) -> Iterator[Fault]:
    """Yield what is wrong with messages after a handshake of TLS 1.3: requests for a certificate, and the answers to them."""
    later = rule(9846, "4.7.2")
    if CERTIFICATE_REQUEST in server.known and kind.offered is not None and POST_HANDSHAKE_AUTH not in kind.offered:
        yield unexpected(server, CERTIFICATE_REQUEST, "which the client did not offer to answer", later)
    n_requests = server.numbers.count(CERTIFICATE_REQUEST)
    whole = server.n_known == len(server.numbers) and kind.offered is not None  # else the requests may be in what came before
    answers = _answers(client)
    if whole and len(answers) > n_requests:
        yield unexpected(client, answers[n_requests][1][0], "which nobody had requested", later)
    for place, answer in answers:
        last = place + len(answer)
        if FINISHED in answer:
            if CERTIFICATE_VERIFY not in answer and place not in client.empty:
                yield missing(client, CERTIFICATE_VERIFY, FINISHED, "although it sent a certificate", later)
        elif last < client.n_known:
            yield missing(client, FINISHED, client.numbers[last], "after its certificate", later)


def _answers(client: Sequence) -> list[tuple[int, list[int]]]:
    """Return the answers to requests after the handshake: the place of the Certificate, and the messages through Finished."""
    found: list[tuple[int, list[int]]] = []
    for place, number in enumerate(client.known):
        if number in CERTIFICATES:
            found.append((place, [number]))
        elif found and number in (CERTIFICATE_VERIFY, FINISHED) and FINISHED not in found[-1][1]:
            found[-1][1].append(number)
    return found
