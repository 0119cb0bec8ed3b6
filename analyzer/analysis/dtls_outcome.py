"""Derives what a DTLS session came to where no alert tells it.

DTLS has no FIN and no RST, and datagrams get lost: that something is not there shows nothing. Only a client that sends its
hello again shows that no answer has reached it (RFC 9147 section 5.8).
"""

from typing import Any

from analyzer.analysis.outcome_facts import ABANDONED, ESTABLISHED, LIKELY, NOBODY, Outcome
from analyzer.analysis.refused_datagrams import refused_datagrams
from analyzer.tls.session import Session


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
