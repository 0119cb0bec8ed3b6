"""Describes which session a resumed session resumes, and which certificate the server showed before.

A resumed handshake contains no certificate (RFC 5246 section 7.3, RFC 9846 section 2.2). The server was authenticated in the
first session, which may be several resumptions earlier.
"""

from typing import Any

from analyzer.text.formatting import count_text
from analyzer.text.language import ENGLISH, Sentences, say, spoken
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.session import Session
from analyzer.x509.certificate import certificate

MAX_KNOWN = 1 << 16
"""The most sessions that are remembered, with a line of text each."""

MAX_STEPS = 64
"""The most resumptions that are followed back."""

LONGEST_SUBJECT = 200

_ECH: Sentences = {
    "offered": "offered; without its secrets nobody can tell a real offer from GREASE, nor what the server made of it",
    "grease": "GREASE: the client goes on without",
    "accepted": "accepted",
    "rejected": "rejected",
}


class Resumptions:
    """Remembers the sessions of a capture that other sessions may resume."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int | None, str | None]] = {}

    def take(self, session: Session) -> None:
        """Remember what a session showed, if other sessions may resume it. The session has ended."""
        handshake = session.handshake
        if handshake.resumable is None or len(self._known) >= MAX_KNOWN:
            return
        shown = handshake.certificates[1]
        subject = certificate(shown[0]).subject if shown and shown[0] != CUT else None
        self._known[session.id] = _resumed_session(session), None if subject is None else subject[:LONGEST_SUBJECT]

    def text(self, record: dict[str, Any]) -> str | None:
        """Return the line about a session's resumption, from its record; None if it is not known whether it was resumed."""
        if record["resumed"] is None:
            return None
        if not record["resumed"]:
            return say("no")
        kind = record["resumption"]
        how = say("yes, by {kind}", kind=kind.replace("_", " ") if spoken() == ENGLISH else say(kind))
        number = record["resumes"]
        if number is None:
            return how
        first, steps = number, 0
        before, subject = self._known.get(first, (None, None))
        while subject is None and before is not None and steps < MAX_STEPS:
            first, steps = before, steps + 1
            before, subject = self._known.get(first, (None, None))
        line = say("{how}; resumes session {n}", how=how, n=number)
        if subject is None:
            return line
        if not steps:
            return say("{line}, whose server showed {subject}", line=line, subject=subject)
        back = count_text(steps, "resumption")
        return say(
            "{line}, {resumptions} after session {n}, whose server showed {subject}",
            line=line,
            resumptions=back,
            n=first,
            subject=subject,
        )


def ech_text(ech: dict[str, Any]) -> str:
    """Return the line about an offer of Encrypted Client Hello, from its part of the record."""
    status = say(_ECH.get(ech["status"], ech["status"]))
    inner = say("; the inner name is {name}", name=ech["inner_server_name"]) if ech["inner_server_name"] else ""
    outer = say(", the outer {name}", name=ech["outer_server_name"]) if inner and ech["outer_server_name"] else ""
    return f"{status}{inner}{outer}"


def _resumed_session(session: Session) -> int | None:
    handshake = session.handshake
    resumed_from = handshake.resumed_from
    return resumed_from.number if handshake.parameters.resumption and resumed_from is not None else None
