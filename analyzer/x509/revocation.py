"""Whether a certificate was revoked at some moment, from the OCSP responses and CRLs at hand (RFC 6960; RFC 5280, section 5).

Nothing is fetched: responses come stapled in the handshake or in clear HTTP of the same capture, lists from files. Each is a
statement that counts only if the issuer stands behind it, and only for a stretch of time. One that says revoked outweighs all
that say good, for those may be older; and unless the certificate was merely on hold it counts for ever. A statement that the
certificate was revoked later says that it was not revoked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzer.x509.crl import judge_crl
from analyzer.x509.identity import identity
from analyzer.x509.ocsp import judge_ocsp
from analyzer.x509.statement import NAMES, Source, Statement, Status, in_utc, stated

STATEMENTS = 256
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
    statements: list[Statement] = []
    for response in ocsp:
        statements += judge_ocsp(response, subject, authority)[: STATEMENTS - len(statements)]
    for crl in crls:
        if len(statements) < STATEMENTS:
            statement = judge_crl(crl, subject, authority)
            if statement is not None:
                statements.append(statement)
    if not statements:
        return Revocation("unknown", _silence(len(ocsp), len(crls)))
    return _weigh(statements, in_utc(at))


def _weigh(statements: list[Statement], at: datetime) -> Revocation:
    since, until = _bounds(statements, at)
    faults: list[str] = []
    best: tuple[int, Statement] | None = None
    for statement in statements:
        rank, fault = _rank(statement, at)
        if fault is not None:
            faults.append(f"{NAMES[statement.source]}: {fault}")
        elif best is None or rank > best[0]:
            best = rank, statement
    if best is None:
        told = list(dict.fromkeys(faults))
        more = [f"and {len(told) - TOLD} more"] if len(told) > TOLD else []
        return Revocation("unknown", f"nothing counts; {'; '.join(told[:TOLD] + more)}", None, None, since, until)
    statement = best[1]
    revoked = statement.status == "revoked" and best[0] == _REVOKED
    status: Status = "revoked" if revoked else "good" if statement.status == "revoked" else statement.status
    return Revocation(status, _sentence(statement, status), statement.source, statement.revoked_at, since, until)


_UNKNOWN, _GOOD, _REVOKED_LATER, _REVOKED = range(4)


def _rank(statement: Statement, at: datetime) -> tuple[int, str | None]:
    """Give the weight of a statement at a moment, or why it has none."""
    if statement.trouble is not None:
        return 0, statement.trouble
    if statement.status == "revoked" and statement.revoked_at is not None:
        if statement.final:
            return _REVOKED if statement.revoked_at <= at else _REVOKED_LATER, None
        if statement.revoked_at > at:
            return _REVOKED_LATER, None
    word = _said(statement)
    if statement.since is not None and at < statement.since:
        return 0, f"it says {word}, but only from {stated(statement.since)} on"
    if statement.until is not None and at >= statement.until:
        return 0, f"it says {word}, but only until {stated(statement.until)}"
    return {"revoked": _REVOKED, "good": _GOOD, "unknown": _UNKNOWN}[statement.status], None


def _bounds(statements: list[Statement], at: datetime) -> tuple[datetime | None, datetime | None]:
    """Give the stretch of time around `at` in which no statement begins or ceases to count."""
    since: datetime | None = None
    until: datetime | None = None
    for statement in statements:
        for moment in () if statement.trouble else (statement.since, statement.until, statement.revoked_at):
            if moment is None:
                continue
            if moment <= at and (since is None or moment > since):
                since = moment
            elif moment > at and (until is None or moment < until):
                until = moment
    return since, until


def _sentence(statement: Statement, status: Status) -> str:
    who = f"{NAMES[statement.source]} of {stated(statement.this_update)}" if statement.this_update else NAMES[statement.source]
    until = f", fresh until {stated(statement.next_update)}" if statement.next_update else ", without a next update"
    if statement.status == "revoked" and status == "good":
        return f"not revoked yet: {_said(statement)}, says the {who}, signed by {statement.signer}"
    if statement.status == "unknown":
        return f"the {who}, signed by {statement.signer}, does not know the certificate"
    word = _said(statement)
    return f"{word}, says the {who}{'' if statement.final else until}, signed by {statement.signer}"


def _said(statement: Statement) -> str:
    if statement.status != "revoked":
        return statement.status
    when = f" on {stated(statement.revoked_at)}" if statement.revoked_at else ""
    return f"revoked{when} ({statement.reason or 'no reason given'})"


def _silence(n_responses: int, n_lists: int) -> str:
    if not n_responses and not n_lists:
        return "no OCSP response and no CRL at hand"
    return f"none of {n_responses} OCSP responses and {n_lists} CRLs at hand is about this certificate"
