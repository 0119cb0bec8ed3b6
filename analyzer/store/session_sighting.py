"""Takes from one session what an inventory keeps of it: its ends, what they agreed on, what the client offered, what is weak.

A sighting is a plain tuple, so that a process that reads a part of the sessions can hand it to another. The certificates are no
part of it: they come with the session (`Inventory.take`).
"""

from typing import NamedTuple

from analyzer.analysis.downgrade import downgrades
from analyzer.analysis.key_exchange_class import key_exchange_class, post_quantum_answer
from analyzer.analysis.offer_traits import offer_traits
from analyzer.analysis.session_findings import session_findings
from analyzer.analysis.shown_certificates import shown_certificates
from analyzer.codec.registry import registry
from analyzer.store.chain_verdicts import SERVER
from analyzer.store.session_record import session_head
from analyzer.tls.session import Session

WEAKNESSES = (
    "null_cipher", "anonymous_key_exchange", "export_cipher", "weak_cipher", "rc4", "deprecated_version", "weak_dh",
    "weak_signature_hash", "common_dh_prime", "explicit_curve", "insecure_renegotiation", "tls_compression", "triple_des",
    "mac_then_encrypt", "no_forward_secrecy",
)  # fmt: skip
"""The findings that an inventory lists as weak or legacy, the worst first. Offers have some of them too."""

Weak = tuple[str, str, int | None, str]
"""A weakness that both sides agreed on: code, severity, frame, detail."""


class Offer(NamedTuple):
    """What a ClientHello that is whole offers; as `OfferTraits`."""

    versions: tuple[str, ...]
    listed: bool
    post_quantum: tuple[str, ...]
    weak: tuple[str, ...]


class Sighting(NamedTuple):
    """What an inventory keeps of a session. Names and times are as in its record; None is not known.

    client, server: address and port. scheme: with which the server signed the handshake. offer: None if the ClientHello is not
    whole. shown: what the capture shows of the server's certificates, as `shown_certificates` returns it. key_exchange: one of
    KEY_EXCHANGES; answer: one of ANSWERS. n_bytes: encrypted bytes of both sides that were captured.
    """

    session: int
    frame: int
    client: tuple[str, int]
    server: tuple[str, int]
    start: str | None
    end: str | None
    name: str | None
    version: str | None
    cipher_suite: str | None
    group: str | None
    alpn: str | None
    scheme: str | None
    established: bool | None
    ja4: str | None
    offer: Offer | None
    weak: tuple[Weak, ...]
    shown: int
    key_exchange: str
    answer: str
    n_bytes: int


def sighting(session: Session) -> Sighting:
    """Return the sighting of a session that has ended."""
    head = session_head(session)
    offer = session.handshake.hellos.fingerprint_input
    kind = key_exchange_class(session)
    client, server = head["client"], head["server"]
    return Sighting(
        session.id,
        head["first_frame"],
        (client["address"], client["port"]),
        (server["address"], server["port"]),
        head["start_time"],
        head["end_time"],
        head["server_name"],
        head["version"],
        head["cipher_suite"],
        head["group"],
        head["alpn"],
        _scheme(session),
        head["established"],
        head["ja4"],
        None if offer is None else Offer(*offer_traits(offer)),
        _weaknesses(session),
        shown_certificates(session, SERVER),
        kind,
        post_quantum_answer(session, kind),
        sum(role.n_bytes for role in session.roles),
    )


def read_sighting(values: tuple[object, ...]) -> Sighting:
    """Return a sighting from the plain tuples of which it consists, as another process wrote it."""
    found = Sighting._make(values)
    return found if found.offer is None else found._replace(offer=Offer._make(found.offer))


def _scheme(session: Session) -> str | None:
    """Return the name of the scheme of the server's first signature; None if its version names none, or it is not seen."""
    for signed in session.handshake.authentication.signed:
        if signed.role == SERVER:
            return None if signed.scheme is None else registry("signature_schemes").names[signed.scheme]
    return None


def _weaknesses(session: Session) -> tuple[Weak, ...]:
    found: dict[str, Weak] = {}
    for finding in (*session_findings(session), *session.log.findings, *downgrades(session)):
        if finding.code in _WEAK and finding.code not in found:
            frame = finding.frames[0] if finding.frames else None
            found[finding.code] = finding.code, finding.severity, frame, finding.detail
    return tuple(found.values())


_WEAK = frozenset(WEAKNESSES)
