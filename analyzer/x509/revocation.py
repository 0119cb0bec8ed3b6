"""Decides from OCSP responses and CRLs whether a certificate was revoked at a given time (RFC 6960; RFC 5280, section 5).

Nothing is fetched. Responses are stapled in the handshake or come from plain HTTP in the same capture. Lists come from files,
or from plain HTTP too. Each gives a revocation status, which counts only if the issuer is responsible for it, and only in an
interval of time.

The status revoked has priority over all that are good, because those may be older. It counts without end, unless the
certificate was only on hold: a later status of the same source that is good, or a later list without the certificate, says that
the hold was released (RFC 5280, section 5.3.1). A status that says that the certificate was revoked later also says that it was
not revoked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzer.x509.certificate_id import identity
from analyzer.x509.crl import judge_crl
from analyzer.x509.ocsp import judge_ocsp
from analyzer.x509.revocation_status import NAMES, RevocationStatus, Source, Status, in_utc, stated

MAX_STATUSES = 256
"""Maximum number of revocation statuses that are compared for one certificate; each costs one signature."""

MAX_REASONS = 4
"""Maximum number of reasons why statuses do not count that a sentence lists; further ones repeat them."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is known about the revocation of one certificate at one time; all times are UTC.

    detail: a sentence that says who signed the status, when, and until when it counts, or why none counts. source: the source
    of the status that decided, None if none did. revoked_at: when it was revoked; with the status `good` it is later than the
    given time. since, until: the result is the same for every time from `since` on and before `until`; None means without
    limit.
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
    """Decide whether a certificate was revoked at a given time, by the given data, all DER; never raises.

    issuer: the certificate whose key signed `certificate`; that signature is not checked here. Data about other certificates is
    skipped. A time without a zone is UTC.
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
        return Revocation("unknown", _nothing_found(len(ocsp), len(crls)))
    return _choose(revocation_statuses, in_utc(at))


def _choose(revocation_statuses: list[RevocationStatus], at: datetime) -> Revocation:
    since, until = _bounds(revocation_statuses, at)
    faults: list[str] = []
    best: tuple[int, RevocationStatus] | None = None
    for revocation_status in revocation_statuses:
        rank, fault = _rank(revocation_status, at)
        if rank == _REVOKED and not revocation_status.final and _is_released(revocation_status, revocation_statuses, at):
            rank, fault = 0, f"it says {_status_text(revocation_status)}, and a later one says that the hold was released"
        if fault is not None:
            faults.append(f"{NAMES[revocation_status.source]}: {fault}")
        elif best is None or rank > best[0]:
            best = rank, revocation_status
    if best is None:
        reasons = list(dict.fromkeys(faults))
        more = [f"and {len(reasons) - MAX_REASONS} more"] if len(reasons) > MAX_REASONS else []
        return Revocation("unknown", f"nothing counts; {'; '.join(reasons[:MAX_REASONS] + more)}", None, None, since, until)
    revocation_status = best[1]
    revoked = revocation_status.status == "revoked" and best[0] == _REVOKED
    status: Status = "revoked" if revoked else "good" if revocation_status.status == "revoked" else revocation_status.status
    return Revocation(
        status, _sentence(revocation_status, status), revocation_status.source, revocation_status.revoked_at, since, until
    )


_UNKNOWN, _GOOD, _REVOKED_LATER, _REVOKED = range(4)


def _rank(revocation_status: RevocationStatus, at: datetime) -> tuple[int, str | None]:
    """Return the priority of a status at a given time, or why it does not count."""
    if revocation_status.error is not None:
        return 0, revocation_status.error
    if revocation_status.status == "revoked" and revocation_status.revoked_at is not None:
        if revocation_status.final:
            return _REVOKED if revocation_status.revoked_at <= at else _REVOKED_LATER, None
        if revocation_status.revoked_at > at:
            return _REVOKED_LATER, None
    word = _status_text(revocation_status)
    if revocation_status.since is not None and at < revocation_status.since:
        return 0, f"it says {word}, but only from {stated(revocation_status.since)} on"
    if revocation_status.until is not None and at >= revocation_status.until:
        return 0, f"it says {word}, but only until {stated(revocation_status.until)}"
    return {"revoked": _REVOKED, "good": _GOOD, "unknown": _UNKNOWN}[revocation_status.status], None


def _is_released(hold: RevocationStatus, revocation_statuses: list[RevocationStatus], at: datetime) -> bool:
    """Return whether a later status of the same source that counts says that the certificate is no longer on hold."""
    return any(
        other.source == hold.source
        and _rank(other, at) == (_GOOD, None)
        and other.this_update is not None
        and hold.this_update is not None
        and other.this_update > hold.this_update
        for other in revocation_statuses
    )


def _bounds(revocation_statuses: list[RevocationStatus], at: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the interval around `at` in which no status begins or ceases to count."""
    since: datetime | None = None
    until: datetime | None = None
    for revocation_status in revocation_statuses:
        for change in (
            () if revocation_status.error else (revocation_status.since, revocation_status.until, revocation_status.revoked_at)
        ):
            if change is None:
                continue
            if change <= at and (since is None or change > since):
                since = change
            elif change > at and (until is None or change < until):
                until = change
    return since, until


def _sentence(revocation_status: RevocationStatus, status: Status) -> str:
    who = (
        f"{NAMES[revocation_status.source]} of {stated(revocation_status.this_update)}"
        if revocation_status.this_update
        else NAMES[revocation_status.source]
    )
    if revocation_status.status == "revoked" and status == "good":
        return f"not revoked yet: {_status_text(revocation_status)}, says the {who}, signed by {revocation_status.signer}"
    if revocation_status.status == "unknown":
        return f"the {who}, signed by {revocation_status.signer}, does not know the certificate"
    word = _status_text(revocation_status)
    if revocation_status.final:
        return f"{word}, says the {who}, signed by {revocation_status.signer}"
    if revocation_status.next_update is None:
        return f"{word}, says the {who}, without a next update, signed by {revocation_status.signer}"
    until = stated(revocation_status.next_update)
    return f"{word}, says the {who}, fresh until {until}, signed by {revocation_status.signer}"


def _status_text(revocation_status: RevocationStatus) -> str:
    if revocation_status.status != "revoked":
        return revocation_status.status
    when = f" on {stated(revocation_status.revoked_at)}" if revocation_status.revoked_at else ""
    return f"revoked{when} ({revocation_status.reason or 'no reason given'})"


def _nothing_found(n_responses: int, n_lists: int) -> str:
    if not n_responses and not n_lists:
        return "no OCSP response and no CRL at hand"
    return f"none of {n_responses} OCSP responses and {n_lists} CRLs at hand is about this certificate"
