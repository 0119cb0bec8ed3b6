"""Reads DNS messages (RFC 1035) by `dnspython`, which is imported with the first of them."""

from dataclasses import dataclass
from typing import Any, Final

ANSWERS_MAX: Final = 64
"""Maximum number of resource records of one message that are kept; a message of 64 KiB can have thousands."""

TEXT_MAX: Final = 512
"""Maximum characters of the data of a resource record."""


@dataclass(frozen=True, slots=True)
class DnsQuestion:
    """What a message asks for, in the presentation format of RFC 1035 section 5.1."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """One resource record of the answer section. data: in presentation format. ttl: in seconds."""

    name: str
    kind: str
    ttl: int
    data: str


@dataclass(frozen=True, slots=True)
class DnsMessage:
    """One message. stream: its QUIC stream. rcode: None for a query. n_answers: how many answers it has; not all are kept.

    frame, at: of the bytes that completed it.
    """

    stream: int
    side: int
    frame: int
    at: int
    size: int
    is_response: bool
    rcode: str | None
    questions: tuple[DnsQuestion, ...]
    answers: tuple[DnsAnswer, ...]
    n_answers: int

    def record(self) -> dict[str, Any]:
        """Return the entry of the session record's `dns`."""
        return {
            "stream": self.stream,
            "from": "client" if self.side == 0 else "server",
            "frame": self.frame,
            "size": self.size,
            "response": self.is_response,
            "rcode": self.rcode,
            "questions": [{"name": one.name, "type": one.kind} for one in self.questions],
            "answers": [{"name": one.name, "type": one.kind, "ttl": one.ttl, "data": one.data} for one in self.answers],
        }


def read_dns_message(data: bytes, stream: int, side: int, frame: int, at: int) -> DnsMessage | None:
    """Return a message; None if it is malformed. What is behind a malformed record is left out."""
    import dns.exception
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype

    try:
        message = dns.message.from_wire(data, ignore_trailing=True, continue_on_error=True)
        is_response = bool(message.flags & dns.flags.QR)
        questions = tuple(DnsQuestion(str(one.name), dns.rdatatype.to_text(one.rdtype)) for one in message.question)
        answers = [(rrset, one) for rrset in message.answer for one in rrset]
        kept = tuple(
            DnsAnswer(str(rrset.name), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, one.to_text()[:TEXT_MAX])
            for rrset, one in answers[:ANSWERS_MAX]
        )
        rcode = dns.rcode.to_text(message.rcode()) if is_response else None
    except (dns.exception.DNSException, ValueError):
        return None
    return DnsMessage(stream, side, frame, at, len(data), is_response, rcode, questions, kept, len(answers))
