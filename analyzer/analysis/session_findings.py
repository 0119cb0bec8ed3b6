"""Collects the findings about the whole of a session that has ended: its cryptography, its offers, its service, its data.

What a finding says depends on a few facts that very many sessions share: hellos, version, suite, group, port. So the findings
of each combination are made once and remembered. Only the frames differ, and few sessions have findings. Nothing is said about
messages that are not whole in the capture.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from analyzer.analysis.certificate_fit import unagreed_raw_key, unfit_certificate, unrequested_certificate
from analyzer.analysis.chain_schemes import unaccepted_signature
from analyzer.analysis.data_volume import LARGE_UPLOAD_BYTES, LONG_SESSION_NS, volume
from analyzer.analysis.hello_offers import encrypted_hello, post_quantum
from analyzer.analysis.service_traits import self_signed, unusual_port
from analyzer.analysis.starttls_injection import starttls_injection
from analyzer.analysis.weak_cryptography import weak_compression, weak_prime, weak_resumption, weak_suite, weak_version
from analyzer.flows.flow import Flow
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import Finding, HandshakeMessage
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.handshake.hello_features import LONGEST_REMEMBERED
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.numbers import CERTIFICATE, ENCRYPT_THEN_MAC
from analyzer.tls.session import Session
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.tls.suites import suite

if TYPE_CHECKING:
    import cython

REMEMBERED = 4096
"""Maximum number of combinations of facts whose findings are kept."""

TRAITS: dict[Any, tuple[Any, Any, list[tuple[str, str, str]], list[tuple[str, str, str]]]] = {}
"""The findings about the client's offer and about the agreement, by facts. Equal hellos share their fingerprint input, whose
identity stands for it in the key; the entry keeps it alive."""

CLIENT, SERVER = 0, 1

_LONG, _LARGE = LONG_SESSION_NS, LARGE_UPLOAD_BYTES


def session_findings(session: Session) -> list[Finding]:
    """Return the findings about a session that has ended. The caller must not change the list."""
    handshake: SessionHandshake = session.handshake
    flow: Flow = session.flow
    work: Decryption | None = handshake.decryption
    client: RoleState = session.roles[0]
    server: RoleState = session.roles[1]
    found: list[Finding] = trait_findings(session)
    listed = handshake.certificates[SERVER]
    if listed is not None and len(listed) == 1 and listed[0] != CUT:
        found += self_signed_findings(session, listed[0])
    if listed and listed[0] != CUT:
        if not handshake.parameters.tls13:
            found += unfit_findings(session, listed[0])
            found += raw_key_findings(session, SERVER, listed[0])
        offer: Any = handshake.hellos.offer
        if offer is not None and offer.schemes is not None and handshake.hellos.ech is None:
            found += signature_findings(session, SERVER, listed, offer.certificate_schemes or offer.schemes)
    if handshake.parameters.requested is not None:
        found += unrequested_findings(session, handshake.parameters.requested)
        listed = handshake.certificates[CLIENT]
        if listed:
            found += raw_key_findings(session, CLIENT, listed[0])
            accepted: Any = handshake.authentication.offered[CLIENT]
            if accepted:
                found += signature_findings(session, CLIENT, listed, accepted)
    if flow.before is not None:
        found += starttls_injection(flow)
    duration: cython.longlong = flow.end - flow.start if flow.start >= 0 and flow.end >= 0 else -1
    if duration >= _LONG or client.n_bytes >= _LARGE:
        frames = [flow.first_frame, flow.last_frame]
        for code, severity, detail in volume(duration, client.n_bytes, server.n_bytes):
            found.append(Finding(code, severity, detail, frames))
    if work is not None and work.application is not None:
        exchanges = getattr(work.application, "exchanges", None)
        if exchanges:
            found += _http_findings()(session, exchanges)
    return found


def trait_findings(session: Session) -> list[Finding]:
    """Return the findings about hellos, version, suite, key exchange and port."""
    handshake: SessionHandshake = session.handshake
    parameters: Parameters = handshake.parameters
    hellos: Hellos = handshake.hellos
    key: bytes = session.flow.key
    n: cython.Py_ssize_t = len(key)
    port: cython.int = key[n - 2] << 8 | key[n - 1]
    offer, answer = hellos.fingerprint_input, hellos.server_fingerprint_input
    kind = (
        id(offer), id(answer), session.log.version, parameters.cipher_suite, parameters.group, parameters.compression,
        parameters.resumption, port, parameters.dh_prime, "" if hellos.ech is None else hellos.ech.status, hellos.server_seen,
        hellos.ech is not None and len(hellos.ech.hellos) > 0, session.established is False,
    )  # fmt: skip
    known = TRAITS.get(kind)
    if known is None:
        known = offer, answer, offer_traits(session), agreement_traits(session, port)
        size: cython.Py_ssize_t = len(parameters.dh_prime)
        if offer is not None:
            size += len(offer[1]) + len(offer[2])
        if answer is not None:
            size += len(answer[2])
        if size < LONGEST_REMEMBERED:
            if len(TRAITS) >= REMEMBERED:
                TRAITS.clear()
            TRAITS[kind] = known
    found: list[Finding] = []
    if known[2]:
        found += placed(session, "client_hello", known[2])
    if known[3]:
        found += placed(session, "server_hello", known[3])
    return found


def offer_traits(session: Session) -> list[tuple[str, str, str]]:
    """Return what is to be said about the ClientHello: code, severity and detail of each finding."""
    hellos: Hellos = session.handshake.hellos
    offer = hellos.fingerprint_input
    group: cython.int = session.handshake.parameters.group
    found = [] if offer is None else post_quantum(offer[3], group, session.established is False)
    ech = hellos.ech
    return found if ech is None else found + encrypted_hello(ech.status, len(ech.hellos) > 0)


def agreement_traits(session: Session, port: cython.int) -> list[tuple[str, str, str]]:
    """Return what is to be said about the answer of the server, as `offer_traits`."""
    parameters: Parameters = session.handshake.parameters
    answer = session.handshake.hellos.server_fingerprint_input
    if not session.handshake.hellos.server_seen:
        return []
    found = weak_version(session.log.version)
    suite = parameters.suite
    if suite is not None and answer is not None:
        found += weak_suite(parameters.version, suite, ENCRYPT_THEN_MAC in answer[2])
    found += weak_prime(parameters.dh_prime)
    found += weak_compression(parameters.version, suite, parameters.compression)
    found += weak_resumption(parameters.version, parameters.resumption, parameters.group)
    dtls: cython.bint = session.log.version != parameters.version
    return found if dtls or session.flow.carrier is not None else found + unusual_port(port)


def placed(session: Session, name: str, traits: list[Any]) -> list[Finding]:
    """Return findings (code, severity, detail) with the frame of the first message of that name; none if it is not whole."""
    message: HandshakeMessage
    for message in session.log.messages:
        if message.name == name:
            if message.problems:
                return []
            return [Finding(code, severity, detail, [message.frame]) for code, severity, detail in traits]
    return []


def self_signed_findings(session: Session, der: bytes) -> list[Finding]:
    """Return the finding about a server whose only certificate is `der`, if that has signed itself."""
    title = self_signed(der)
    if title is None:
        return []
    frames = certificate_frames(session, SERVER)
    if not frames:
        return []
    return [Finding("self_signed_service", "info", f"the only certificate of the server, {title}, has signed itself", frames)]


def unfit_findings(session: Session, der: bytes) -> list[Finding]:
    """Return the finding about a server whose certificate `der` has no key of the kind that the cipher suite needs."""
    parameters: Parameters = session.handshake.parameters
    chosen = suite(parameters.cipher_suite)
    unfit = None if chosen is None else unfit_certificate(der, chosen, parameters.version)
    frames = [] if unfit is None else certificate_frames(session, SERVER)
    if unfit is None or not frames:
        return []
    code, severity, detail = unfit
    return [Finding(code, severity, detail, frames)]


def unrequested_findings(session: Session, types: tuple[Any, ...]) -> list[Finding]:
    """Return the finding about a client whose only list of certificates does not fit the request. types: what it accepts."""
    listed = session.handshake.certificates[CLIENT]
    if not listed or listed[0] == CUT or session.log.certificate_changes:
        return []
    unfit = unrequested_certificate(listed[0], types)
    frames = [] if unfit is None else certificate_frames(session, CLIENT)
    if unfit is None or not frames:
        return []
    code, severity, detail = unfit
    return [Finding(code, severity, detail, frames)]


def raw_key_findings(session: Session, role: cython.int, der: bytes) -> list[Finding]:
    """Return the finding about a role that sent a raw public key up to TLS 1.2, and the hellos did not agree on that."""
    answer = session.handshake.hellos.server_fingerprint_input
    fault = None if answer is None else unagreed_raw_key(role, der, answer[2])
    frames = [] if fault is None else certificate_frames(session, role)
    if fault is None or not frames:
        return []
    code, severity, detail = fault
    return [Finding(code, severity, detail, frames)]


def signature_findings(session: Session, role: cython.int, listed: list[Any], accepted: tuple[Any, ...]) -> list[Finding]:
    """Return the finding about a role with a certificate that is signed in a way its peer does not accept."""
    if CUT in listed or session.log.certificate_changes:
        return []
    fault = unaccepted_signature(role, listed, accepted, session.handshake.parameters.version)
    frames = [] if fault is None else certificate_frames(session, role)
    if fault is None or not frames:
        return []
    code, severity, detail = fault
    return [Finding(code, severity, detail, frames)]


def certificate_frames(session: Session, role: cython.int) -> list[int]:
    """Return the frame of a role's first Certificate; empty if it was not read without a problem."""
    message: HandshakeMessage
    for message in session.log.messages:
        if message.role == role and message.type == CERTIFICATE:
            return [] if message.problems else [message.frame]
    return []


@cache
def _http_findings() -> Any:
    """Return the function that reads exchanges. Its module is imported with the first session that has any."""
    from analyzer.analysis.http_findings import http_findings

    return http_findings
