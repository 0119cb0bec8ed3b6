"""Names the cause of a failure about the server's certificates, once the verdict on them is known.

Clients say less than they know: one alert stands for a wrong name, an expired certificate and an unknown issuer. The verdict
on the chain, made with the trust store that was given and for the time of the session, shows what a client sees. Where the
chain is valid, the client has another store or more rules than the analyzer: it refuses the certificate.
"""

from typing import Any

import orjson

from analyzer.analysis.outcome_facts import CERTAIN, LIKELY, advice_of

CAUSES = {
    "revoked": "certificate_revoked",
    "expired": "certificate_expired",
    "not_yet_valid": "certificate_not_yet_valid",
    "self_signed": "certificate_unknown_issuer",
    "unknown_issuer": "certificate_unknown_issuer",
    "name_mismatch": "certificate_name_mismatch",
    "no_name": "certificate_name_mismatch",
    "name_constraint": "certificate_name_mismatch",
    "weak_key": "certificate_weak",
    "weak_signature": "certificate_weak",
}
"""The cause for each problem of a chain that has one."""

SAYS = {
    "certificate_revoked": {"certificate_revoked"},
    "certificate_expired": {"certificate_expired", "certificate_not_yet_valid"},
    "unknown_ca": {"certificate_unknown_issuer", "certificate_incomplete_chain"},
    "unsupported_certificate": {"certificate_weak"},
}
"""The causes that an alert can mean, where it says more than that something is wrong."""

_ORDER = (
    "certificate_unknown_issuer", "certificate_revoked", "certificate_expired", "certificate_not_yet_valid",
    "certificate_name_mismatch", "certificate_weak",
)  # fmt: skip
"""Causes in the order in which clients look for them."""


def judge_outcome(record: dict[str, Any]) -> None:
    """Complete the outcome of a session record by the verdict on the server's chain, in place."""
    found, chain = record["outcome"], record["chain"]
    said = _said(record)
    certainty, cause, problem = _cause(found["cause"], found["certainty"], said, chain)
    found["cause"], found["certainty"] = cause, certainty
    found["advice"] = advice_of(cause)
    if problem:
        found["detail"] = f"{found['detail']}; {problem}"


def judged_line(line: bytes) -> bytes:
    """Return a session record as JSON, with the outcome completed. Few sessions need that."""
    record = orjson.loads(line)
    judge_outcome(record)
    return orjson.dumps(record)


def _said(record: dict[str, Any]) -> str | None:
    for alert in record["alerts"]:
        if alert["from"] == "client" and not alert["injected"] and alert["description"] not in (None, "close_notify"):
            description: str = alert["description"]
            return description
    return None


def _cause(known: str, certainty: str, said: str | None, chain: dict[str, Any]) -> tuple[str, str, str | None]:
    """Return how sure the cause is, its code, and what the verdict says. known, certainty: the cause without the verdict."""
    problems = {CAUSES[one["code"]]: one for one in reversed(chain["problems"]) if one["code"] in CAUSES}
    if "certificate_unknown_issuer" in problems and any(one["code"] == "missing_intermediate" for one in chain["notes"]):
        problems["certificate_incomplete_chain"] = problems.pop("certificate_unknown_issuer")
    meant = SAYS.get(said or "", set())
    fitting = [
        cause for cause in (*_ORDER, "certificate_incomplete_chain") if cause in problems and (not meant or cause in meant)
    ]
    if fitting:
        cause = fitting[0]
        detail = problems[cause]["detail"] or ""
        sure = CERTAIN if meant else LIKELY
        return sure, cause, f"the verdict on the chain: {detail}" if detail else None
    if said is None or known in ("internal_error", "other_alert"):
        return certainty, known, None
    if chain["problems"] or not chain["path"]:
        return (certainty if said in SAYS else LIKELY), known, None
    incomplete = any(one["code"] == "missing_intermediate" for one in chain["notes"])
    if incomplete and (not meant or "certificate_incomplete_chain" in meant):
        detail = "the server did not send an intermediate certificate of the chain, which is known from elsewhere"
        return LIKELY, "certificate_incomplete_chain", detail
    if said in ("certificate_expired", "certificate_revoked"):
        return LIKELY, known, "the chain was valid at the time of the capture: the clock of the client may be wrong"
    return LIKELY, "certificate_refused", "the chain is valid by the trust store used here, and the client refuses it"
