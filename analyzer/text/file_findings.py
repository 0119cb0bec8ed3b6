"""Says what is wrong with capture files and with the packets in them: one sentence each, as findings."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analyzer.analysis.traffic import MAX_CONVERSATIONS, Traffic
from analyzer.capture.capture_reader import FileFacts
from analyzer.codec.errors import Incomplete
from analyzer.text.formatting import count_text
from analyzer.text.language import noted, say


class FileFinding(NamedTuple):
    """One finding about a file or about all packets."""

    code: str
    severity: str
    detail: str


def file_findings(files: Sequence[FileFacts]) -> Iterator[FileFinding]:
    """Yield the findings about the files."""
    for facts in files:
        if facts.error is not None:
            yield FileFinding("damaged_capture", "high", error_line(facts))
        if facts.truncated_frames:
            frames = count_text(facts.truncated_frames, "frame was", "frames were")
            one, many = noted(
                (
                    "{frames} cut by the snapshot length: its last bytes are missing",
                    "{frames} cut by the snapshot length: their last bytes are missing",
                )
            )
            detail = say(one if facts.truncated_frames == 1 else many, frames=frames)
            yield FileFinding("cut_frames", "low", detail)
        for anomaly in facts.anomalies:
            yield FileFinding("odd_capture", "info", f"{facts.path}: {anomaly.field} at byte {anomaly.offset}: {anomaly.why}")


def traffic_findings(traffic: Traffic) -> Iterator[FileFinding]:
    """Yield the findings from the counting of packets."""
    if traffic.malformed:
        detail = say("{packets} with damaged or cut headers", packets=count_text(traffic.malformed, "packet"))
        yield FileFinding("unreadable_headers", "low", detail)
    if traffic.uncounted:
        packets = count_text(traffic.uncounted, "packet")
        detail = say(
            "{packets} of conversations after the first {limit:,} are not told apart", packets=packets, limit=MAX_CONVERSATIONS
        )
        yield FileFinding("limit", "info", detail)


def error_line(facts: FileFacts) -> str:
    """Return what is wrong with a file, at which byte, and after which frame."""
    error = facts.error
    if error is None:
        return f"{facts.path}: read to its end"
    if facts.format is None:
        return f"{facts.path}: not a capture: {error.field} at byte {error.offset}: {error.why}"
    what = "cut short" if isinstance(error, Incomplete) else "damaged"
    where = f"after frame {facts.last_frame}" if facts.frames else "before its first frame"
    return f"{facts.path}: {what} at byte {error.offset}, {where}: {error.field}: {error.why}"
