"""Makes the pieces that several sections of a report need: times, sizes, ends of a connection, links to sessions, marks.

Values out of the facts are either numbers and words that this program chose, or text of a stranger, which becomes `Quoted`.
Whatever is not known is written as the catalogue's word for that, and never guessed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from analyzer.codec.codes import codes
from analyzer.report.document import Code, Line, Link, Mark, Piece, Quoted
from analyzer.report.sentences import Sentences
from analyzer.text.formatting import endpoint_text, first_ranges, size_text

Record = Mapping[str, Any]

_STATES = {
    "valid": "good", "verified": "good", "decrypted": "good", "invalid": "bad", "failed": "bad", "partial": "unsure",
    "unknown": "unsure",
}  # fmt: skip


def or_unknown(value: str | int | None, sentences: Sentences, code: bool = False) -> Line:
    """Return a value as a line: text of a stranger as `Quoted`, a number with groups of digits, the word for an unknown one."""
    if value is None or value == "":
        return [sentences.say("unknown")]
    if isinstance(value, int):
        return [f"{value:,}"]
    return [Quoted(value, code)]


def or_unseen(value: str | None, sentences: Sentences, code: bool = False) -> Line:
    """Return text of a stranger as a line; where there is none, the words that none was seen."""
    return [Quoted(value, code)] if value else [sentences.say("none_seen")]


def moment(time: str | None, sentences: Sentences, digits: int = 6, zone: str = " UTC") -> str:
    """Return a time in RFC 3339 as text in UTC, with that many digits of a second. zone: what follows it."""
    if not time:
        return sentences.say("unknown")
    given = time[20:29].rstrip("Z") if time[19:20] == "." else ""
    fraction = "." + f"{given:0<9}"[:digits] if digits else ""
    return f"{time[:10]} {time[11:19]}{fraction}{zone}"


def day(time: str | None, sentences: Sentences) -> str:
    """Return the date of a time in RFC 3339."""
    return time[:10] if time else sentences.say("unknown")


def seconds_between(first: str | None, last: str | None) -> float | None:
    """Return the seconds from one time in RFC 3339 to another, to the microsecond; None if one of them is not known."""
    if not first or not last:
        return None
    try:
        span = datetime.fromisoformat(last[:26] + "Z") - datetime.fromisoformat(first[:26] + "Z")
    except ValueError:  # a year outside of Python's calendar
        return None
    return span.total_seconds()


def duration(seconds: float | None, sentences: Sentences) -> str:
    """Return a duration in the unit that suits it."""
    if seconds is None:
        return sentences.say("unknown")
    size = abs(seconds)
    if size < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if size < 1:
        return f"{seconds * 1e3:.1f} ms"
    if size < 120:
        return f"{seconds:.3f} s"
    if size < 172_800:
        hours, minutes, rest = int(size) // 3600, int(size) // 60 % 60, int(size) % 60
        return f"{'-' if seconds < 0 else ''}{hours}:{minutes:02d}:{rest:02d} h"
    return sentences.say("days", n=round(seconds / 86_400))


def size(n_bytes: int, sentences: Sentences) -> str:
    """Return a size with three digits, in powers of ten."""
    return sentences.say("bytes", n=n_bytes) if n_bytes < 1000 else size_text(n_bytes)


def offset(seconds: float, sentences: Sentences) -> str:
    """Return a difference of times, with its sign."""
    return ("+" if seconds > 0 else "") + duration(seconds, sentences)


def share(part: int, whole: int) -> str:
    """Return a part in percent of the whole. A part above 0 is never shown as 0."""
    if not whole:
        return ""
    percent = 100 * part / whole
    return "<0.1 %" if 0 < percent < 0.05 else f"{percent:.1f} %"


def endpoint(end: Record) -> Quoted:
    """Return address and port."""
    return Quoted(endpoint_text(end["address"], end["port"]), code=True)


def session_anchor(number: int) -> str:
    """Return the anchor of a session's section."""
    return f"session-{number}"


def finding_anchor(finding: Record) -> str:
    """Return the anchor of the section of a kind of findings."""
    return f"finding-{finding['severity']}-{finding['code'].replace('_', '-')}"


def session_link(number: int | None, shown: frozenset[int], sentences: Sentences) -> Piece:
    """Return a reference to a session: a link if it has a section of its own."""
    if number is None:
        return sentences.say("the_capture")
    text = sentences.say("session", session=number)
    return Link(text, session_anchor(number)) if number in shown else text


def shown_sessions(facts: Record) -> frozenset[int]:
    """Return the numbers of the sessions that have sections of their own."""
    return frozenset(record["id"] for record in facts["sessions"]["shown"])


def frames_text(frames: Iterable[int], sentences: Sentences) -> str:
    """Return numbers of frames as ranges. Of many ranges only the first ones are written, with the number of all frames."""
    different = set(frames)
    if not different:
        return sentences.say("none")
    ranges, is_whole = first_ranges(different, dash="\u2013")
    shown = sentences.comma.join(ranges)
    return shown if is_whole else sentences.say("frames_more", shown=shown, n=len(different))


def frame_span(record: Record) -> str:
    """Return the first and the last frame of a session."""
    return f"{record['first_frame']}\u2013{record['last_frame']}"


def severity_mark(severity: str, sentences: Sentences) -> Mark:
    """Return the mark of a severity."""
    return Mark(sentences.say(f"severity.{severity}"), severity)


def finding_texts(finding: Record, sentences: Sentences) -> Record:
    """Return title, meaning and refuted_by of a finding: those of the facts, or of the registry in another language."""
    if sentences.language == "en":
        return finding
    known = codes("findings", sentences.language)[finding["code"]]
    return {"title": known.title, "meaning": known.meaning, "refuted_by": known.refuted_by}


def state_mark(state: str, sentences: Sentences) -> Mark:
    """Return the mark of a result: of a verdict, a check, or a decryption."""
    return Mark(sentences.say(f"state.{state}"), _STATES.get(state, "plain"))


def yes_no(value: bool | None, sentences: Sentences) -> str:
    """Return a truth value as a word."""
    return sentences.say("unknown" if value is None else "yes" if value else "no")


def top(counts: Mapping[str, int], most: int) -> tuple[list[tuple[str, int]], int]:
    """Return the entries with the highest counts, equal ones in the order of the alphabet, and how many are left out."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return ordered[:most], max(0, len(ordered) - most)


def joined(lines: Sequence[Line], separator: str) -> Line:
    """Return several lines as one."""
    pieces: list[Piece] = []
    for number, line in enumerate(lines):
        pieces += [separator, *line] if number else line
    return pieces


def listed(names: Sequence[str], most: int, sentences: Sentences, make: Callable[[str], Piece] = Quoted) -> Line:
    """Return names of strangers with commas between them; of many, how many more there are."""
    shown = joined([[make(name)] for name in names[:most]], sentences.comma)
    if len(names) <= most:
        return shown
    return [*shown, sentences.comma, sentences.say("more", n=len(names) - most)]


def stores_line(stores: Sequence[Record], sentences: Sentences) -> Line:
    """Return the names of trust stores, each with the day of its content."""
    return joined([[Quoted(one["store"]), *sentences.aside(one["date"])] for one in stores], sentences.comma)


def key_piece(key: Record) -> Quoted:
    """Return a public key's kind, curve and size: `RSA 2048`."""
    return Quoted(" ".join(str(part) for part in (key["type"].upper(), key.get("curve"), key.get("bits")) if part))


def fingerprint(sha256: str | None, sentences: Sentences) -> Line:
    """Return a hash."""
    return [Code(sha256)] if sha256 else [sentences.say("unknown")]


def attachment_of(name: str, facts: Record) -> str:
    """Return the name of an attachment if the report has it, else an empty text."""
    return name if any(one["name"] == name for one in facts["attachments"]) else ""
