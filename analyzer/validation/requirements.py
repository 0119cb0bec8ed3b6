"""The requirements of a validation, and the risks that they answer: their numbers and references. Their words are sentences."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement. code: its number. reference: the documents with the rules.

    The catalogue has `requirement.CODE.title`, `requirement.CODE.need` and `requirement.CODE.criterion`.
    """

    code: str
    reference: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk, and the requirements whose trials answer it.

    The catalogue has `risk.CODE.title`, `risk.CODE.effect` and `risk.CODE.rest`: what remains for the laboratory.
    """

    code: str
    requirements: tuple[str, ...]


REQUIREMENTS = (
    Requirement("R01", "draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, RFC 1952, RFC 8878"),
    Requirement("R02", "RFC 5246, RFC 8446, RFC 9849"),
    Requirement("R03", "RFC 5246 section 7.4.2, RFC 8446 section 4.4.2"),
    Requirement("R04", "RFC 5280 section 6, RFC 9525"),
    Requirement("R05", "RFC 5246 section 6, RFC 8446 section 5, RFC 9850, RFC 9112, RFC 9113"),
    Requirement("R06", "RFC 5246 section 8.1.1"),
    Requirement("R07", "RFC 8448 sections 3 to 7, RFC 8446 section 7"),
    Requirement("R08", "RFC 5246 section 6.2.3, RFC 8446 section 5.2"),
    Requirement("R09", "RFC 5246 section 7.4, RFC 8446 section 4.4"),
    Requirement("R10", "RFC 9293 section 3.4"),
    Requirement("R11", "draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng"),
    Requirement("R12", "RFC 9325"),
    Requirement("R13", "RFC 8996, RFC 8446 section 6.2, RFC 9293 section 3.4"),
    Requirement("R14", "ISO/IEC 17025:2017, 7.2.2"),
    Requirement("R15", "ISO/IEC 27037"),
    Requirement("R16", "ISO/IEC 17025:2017, 7.2.2.1"),
)
"""All requirements, in the order of the pack."""

RISKS = (
    Risk("misread", ("R01", "R02", "R03", "R05", "R07", "R16")),
    Risk("false_proof", ("R04", "R08", "R09")),
    Risk("missed_loss", ("R10", "R11")),
    Risk("false_alarm", ("R12",)),
    Risk("missed_finding", ("R13", "R04")),
    Risk("not_repeatable", ("R14",)),
    Risk("changed_evidence", ("R15",)),
    Risk("other_installation", ("R14",)),
)
"""What can go wrong, and what is tried against it."""
