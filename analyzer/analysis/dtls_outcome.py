"""Derives what a DTLS session came to where no alert tells it.

DTLS has no FIN and no RST, and datagrams get lost: that something is not there shows nothing. Only a client that sends its
hello again shows that no answer has reached it (RFC 9147 section 5.8).
"""

from typing import Any

from analyzer.analysis.outcome_facts import ABANDONED, ESTABLISHED, LIKELY, NOBODY, Outcome
from analyzer.analysis.refused_datagrams import refused_datagrams
from analyzer.flows.ending import NEITHER
from analyzer.tls.session import Session
from analyzer.tls.session_log import FATAL

CLOSE_NOTIFY = 0


def dtls_outcome(known: Outcome, session: Session, after: str) -> None:
    """Fill in what a session came to. after: the last step that it reached, in words."""
    facts: Any = session.transport
    established = session.established
    if established is True:
        known.result = ESTABLISHED
    elif refused_datagrams(known, session, after, facts.answered):
        pass
    elif established is False:
        sent = facts.hellos[0]
        took = (sent[-1][1] - sent[0][1]) / 1e9
        known.result, known.cause, known.certainty, known.ended_by = ABANDONED, "no_answer", LIKELY, NOBODY
        known.detail = f"the client sent its ClientHello {len(sent)} times in {took:,.1f} s, and nothing came back"
        known.frames = [sent[0][0], sent[-1][0]]


def dtls_closer(session: Session) -> int:
    """Return the role whose alert ended a session first; or NEITHER, also if nobody can say which that was.

    What an encrypted alert says is hidden without keys, and anybody can send a record that looks like one. A side sends one at
    its end, and no data behind it: what else came, it did not send, or not for that.
    """
    said = [alert for alert in session.log.alerts if not alert.injected]
    hidden = [alert for alert in said if alert.level < 0]
    tls13 = session.handshake.parameters.tls13
    shown = [
        alert for alert in said if alert.level == FATAL or alert.description == CLOSE_NOTIFY or (tls13 and alert.level > 0)
    ]
    first = min((*hidden, *shown), key=lambda alert: alert.frame, default=None)
    behind = any(alert.frame < session.sizes[alert.role].last_frame for alert in hidden)
    if first is None or (first.level < 0 and (behind or len({alert.role for alert in hidden}) < len(hidden))):
        return NEITHER
    return int(first.role)
