"""Makes JSON values of the steps of a handshake, for the ladder of a report."""

from typing import Any

from analyzer.store.clock import rfc3339
from analyzer.text.authentication_text import check_text
from analyzer.text.explain import GAP, step_sentences
from analyzer.text.formatting import missing_text
from analyzer.text.handshake_steps import NOTE, Step, Steps, step_text
from analyzer.tls.session import Session

MOST_SHOWN = 200
"""Steps of one session that a report shows. A handshake has about ten."""

_FATAL = 2
"""The level of an alert that ends the connection (RFC 5246 section 7.2)."""

_SIDES = {0: "client", 1: "server", NOTE: "none"}


def step_records(steps: Steps, session: Session, record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a session that has ended, at most MOST_SHOWN. record: of that session, with `authenticity`."""
    explained: set[str] = set()
    return [_step(step, session, record, explained) for step in steps.rungs(session)[:MOST_SHOWN]]


def _step(step: Step, session: Session, record: dict[str, Any], explained: set[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "time": rfc3339(step.at),
        "frame": step.frame or None,
        "from": "both" if step.kind == "application_data" and all(step.count) else _SIDES[step.side],
        "kind": step.kind,
        "name": step.kind,
        "title": "",
        "lines": [],
        "encrypted": None,
        "check": None,
        "problems": [],
        "severity": None,
        "fatal": False,
        "explanation": "",
    }
    if step.kind == "finding":
        made |= {"name": step.item.code, "title": step.item.detail, "severity": step.item.severity}
        return made
    if step.kind == "gap":
        made["title"] = missing_text([step.item])
        made["explanation"] = _once("gap", GAP, explained)
        return made
    name, title, facts = step_text(step, session)
    made |= {"name": name, "title": title, "lines": [list(fact) for fact in facts]}
    if step.kind == "message":
        made["encrypted"] = step.item.encrypted
        made["problems"] = [f"{problem.field} at byte {problem.offset}: {problem.why}" for problem in step.item.problems]
        checked = check_text(record["authenticity"], name, _SIDES[step.side])
        if checked is not None:
            made["check"] = {"text": checked[0], "style": checked[1]}
    elif step.kind == "alert":
        made["fatal"] = step.item.level == _FATAL
    message = step.item if step.kind == "message" else None
    made["explanation"] = _once(name, " ".join(step_sentences(name, session, message)), explained)
    return made


def _once(name: str, sentence: str, explained: set[str]) -> str:
    """Return the sentence the first time that such a step comes, else an empty one."""
    if name in explained:
        return ""
    explained.add(name)
    return sentence
