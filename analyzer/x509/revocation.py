"""Whether a certificate was revoked at some moment, from the OCSP responses and CRLs at hand (RFC 6960; RFC 5280, section 5).

Nothing is fetched: responses come stapled in the handshake or in clear HTTP of the same capture, lists from files. Each is a
statement that counts only if the issuer stands behind it, and only for a stretch of time. One that says revoked outweighs all
that say good, for those may be older; and unless the certificate was merely on hold it counts for ever. A statement that the
certificate was revoked later says that it was not revoked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzer.x509.certificate_id import identity
from analyzer.x509.crl import judge_crl
from analyzer.x509.ocsp import judge_ocsp
from analyzer.x509.revocation_status import NAMES, RevocationStatus, Source, Status, in_utc, stated

MAX_STATUSES = 256
"""Statements about one certificate that are weighed; each costs a signature once."""

TOLD = 4
"""Reasons told why statements do not count; more of them say the same again."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is known of one certificate at one moment; all times in UTC.

    detail: a sentence: who said so, when, until when it counts, or why nothing does. source: of the statement that decided,
    None when none did. revoked_at: when it was revoked; with the status `good` that is later than the moment asked about.
    since, until: the same answer comes for every moment from `since` on and before `until`; None is without end.
    """

    status: Status
    detail: str
    source: Source | None = None
    revoked_at: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None


def judge_revocation(
    certificate: bytes, issuer: bytes, *, ocsp: Sequence[bytes] = (), crls: Sequence[bytes] = (), at: datetime
) -> Revocation:
    """Judge a certificate at a moment by the statements at hand, all DER; never raises.

    issuer: the certificate whose key signed `certificate`; that it did is not checked here. Statements about other certificates
    are stepped over. A moment without a zone is taken as UTC.
    """
    subject, authority = identity(certificate), identity(issuer)
    if subject is None or authority is None:
        return Revocation("unknown", f"the {'certificate' if subject is None else 'issuer'} cannot be read")
    revocation_statuses: list[RevocationStatus] = []
    for response in ocsp:
        revocation_statuses += judge_ocsp(response, subject, authority)[: MAX_STATUSES - len(revocation_statuses)]
    for crl in crls:
        if len(revocation_statuses) < MAX_STATUSES:
            revocation_status = judge_crl(crl, subject, authority)
            if revocation_status is not None:
                revocation_statuses.append(revocation_status)
    if not revocation_statuses:
        return Revocation("unknown", _silence(len(ocsp), len(crls)))
    return _weigh(revocation_statuses, in_utc(at))


def _weigh(revocation_statuses: list[RevocationStatus], at: datetime) -> Revocation:
    since, until = _bounds(revocation_statuses, at)
    faults: list[str] = []
    best: tuple[int, RevocationStatus] | None = None
    for revocation_status in revocation_statuses:
        rank, fault = _rank(revocation_status, at)
        if fault is not None:
            faults.append(f"{NAMES[revocation_status.source]}: {fault}")
        elif best is None or rank > best[0]:
            best = rank, revocation_status
    if best is None:
        told = list(dict.fromkeys(faults))
        more = [f"and {len(told) - TOLD} more"] if len(told) > TOLD else []
        return Revocation("unknown", f"nothing counts; {'; '.join(told[:TOLD] + more)}", None, None, since, until)
    revocation_status = best[1]
    revoked = revocation_status.status == "revoked" and best[0] == _REVOKED
    status: Status = "revoked" if revoked else "good" if revocation_status.status == "revoked" else revocation_status.status
    return Revocation(
        status, _sentence(revocation_status, status), revocation_status.source, revocation_status.revoked_at, since, until
    )


_UNKNOWN, _GOOD, _REVOKED_LATER, _REVOKED = range(4)


def _rank(revocation_status: RevocationStatus, at: datetime) -> tuple[int, str | None]:
    """Give the weight of a statement at a moment, or why it has none."""
    if revocation_status.error is not None:
        return 0, revocation_status.error
    if revocation_status.status == "revoked" and revocation_status.revoked_at is not None:
        if revocation_status.final:
            return _REVOKED if revocation_status.revoked_at <= at else _REVOKED_LATER, None
        if revocation_status.revoked_at > at:
            return _REVOKED_LATER, None
    word = _said(revocation_status)
    if revocation_status.since is not None and at < revocation_status.since:
        return 0, f"it says {word}, but only from {stated(revocation_status.since)} on"
    if revocation_status.until is not None and at >= revocation_status.until:
        return 0, f"it says {word}, but only until {stated(revocation_status.until)}"
    return {"revoked": _REVOKED, "good": _GOOD, "unknown": _UNKNOWN}[revocation_status.status], None


def _bounds(revocation_statuses: list[RevocationStatus], at: datetime) -> tuple[datetime | None, datetime | None]:
    """Give the stretch of time around `at` in which no statement begins or ceases to count."""
    since: datetime | None = None
    until: datetime | None = None
    for revocation_status in revocation_statuses:
        for moment in (
            () if revocation_status.error else (revocation_status.since, revocation_status.until, revocation_status.revoked_at)
        ):
            if moment is None:
                continue
            if moment <= at and (since is None or moment > since):
                since = moment
            elif moment > at and (until is None or moment < until):
                until = moment
    return since, until


def _sentence(revocation_status: RevocationStatus, status: Status) -> str:
    who = (
        f"{NAMES[revocation_status.source]} of {stated(revocation_status.this_update)}"
        if revocation_status.this_update
        else NAMES[revocation_status.source]
    )
    until = (
        f", fresh until {stated(revocation_status.next_update)}" if revocation_status.next_update else ", without a next update"
    )
    if revocation_status.status == "revoked" and status == "good":
        return f"not revoked yet: {_said(revocation_status)}, says the {who}, signed by {revocation_status.signer}"
    if revocation_status.status == "unknown":
        return f"the {who}, signed by {revocation_status.signer}, does not know the certificate"
    word = _said(revocation_status)
    return f"{word}, says the {who}{'' if revocation_status.final else until}, signed by {revocation_status.signer}"


def _said(revocation_status: RevocationStatus) -> str:
    if revocation_status.status != "revoked":
        return revocation_status.status
    when = f" on {stated(revocation_status.revoked_at)}" if revocation_status.revoked_at else ""
    return f"revoked{when} ({revocation_status.reason or 'no reason given'})"


def _silence(n_responses: int, n_lists: int) -> str:
    if not n_responses and not n_lists:
        return "no OCSP response and no CRL at hand"
    return f"none of {n_responses} OCSP responses and {n_lists} CRLs at hand is about this certificate"
