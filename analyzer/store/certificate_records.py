"""Makes the entries of the session record about certificates: those of each side, and the verdict on them.

A certificate that a capture has only in part is listed without contents: what its bytes say may be anything, and their hash is
the name of nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.analysis.shown_certificates import LISTED, NONE, shown_certificates
from analyzer.store.schema import CERTIFICATE_KEYS
from analyzer.store.unjudged_chains import UNJUDGED
from analyzer.tls.session import Session
from analyzer.x509.certificate import certificate

if TYPE_CHECKING:
    import cython

CERTIFICATES: dict[bytes, dict[str, Any]] = {}
"""Entries of certificates. A few servers send nearly all of them."""

CUT_CERTIFICATE: dict[str, Any] = dict.fromkeys(CERTIFICATE_KEYS) | {"type": "x509"}
"""The entry of a certificate that is cut."""

REMEMBERED = 4096
"""The most entries that are kept."""

LARGEST_REMEMBERED = 1 << 14
"""The most bytes of a certificate whose entry is kept. Most certificates have two thousand."""


def certificates_record(session: Session, role: cython.int) -> list[dict[str, Any]] | None:
    """Return the certificates of a role; None if the capture does not show whether there are any."""
    listed: list[bytes] | None = session.handshake.certificates[role]
    if listed:
        return [certificate_record(der) for der in listed]
    return [] if shown_certificates(session, role) == NONE else None


def chain_record(session: Session, role: cython.int, judge: Any, start: str | None) -> dict[str, Any]:
    """Return the entry `chain` or `client_chain`. judge: the `Chains`; start: the start of the session as text."""
    shown: cython.int = shown_certificates(session, role)
    record: dict[str, Any] = judge.record(session, role, start) if shown == LISTED else UNJUDGED[shown]
    return record


def certificate_record(der: bytes) -> dict[str, Any]:
    """Return one entry of `certificates`. It is the same object for the same bytes, so it must not be changed."""
    record: dict[str, Any] | None = CERTIFICATES.get(der)
    if record is None:
        record = certificate(der).record() if der else CUT_CERTIFICATE
        if len(der) <= LARGEST_REMEMBERED:
            if len(CERTIFICATES) >= REMEMBERED:
                CERTIFICATES.clear()
            CERTIFICATES[der] = record
    return record
