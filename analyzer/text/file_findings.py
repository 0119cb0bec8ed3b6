"""Says what is wrong with capture files and with the packets in them: one sentence each, as findings."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analyzer.analysis.traffic import MAX_CONVERSATIONS, Traffic, link_name, unread_datagrams
from analyzer.capture.capture_reader import FileFacts
from analyzer.codec.errors import Incomplete
from analyzer.packet.link_layers import READABLE_INNER, READABLE_LINK_TYPES
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
        for line in unread_link_types(facts):
            yield FileFinding("unknown_link_type", "high", line)
        for anomaly in facts.anomalies:
            yield FileFinding("odd_capture", "info", f"{facts.path}: {anomaly.field} at byte {anomaly.offset}: {anomaly.why}")


def traffic_findings(traffic: Traffic) -> Iterator[FileFinding]:
    """Yield the findings from the counting of packets."""
    unread = sum(layers.n_packets for layers in traffic.layers.values() if layers.link not in READABLE_LINK_TYPES)
    if traffic.malformed > unread:
        detail = say("{packets} with damaged or cut headers", packets=count_text(traffic.malformed - unread, "packet"))
        yield FileFinding("unreadable_headers", "low", detail)
    unread_packets = {name: n for name, n in unread_datagrams(traffic).items() if n}
    if unread_packets:
        packets = ", ".join(f"{count_text(n, 'packet')} ({name})" for name, n in unread_packets.items())
        yield FileFinding("unread_datagrams", "info", say("not looked into: {packets}", packets=packets))
    if traffic.copies:
        detail = say(
            "{packets} captured twice, as mirror ports and several interfaces do: each counts once in its session",
            packets=count_text(traffic.copies, "packet"),
        )
        yield FileFinding("captured_twice", "info", detail)
    if traffic.uncounted:
        packets = count_text(traffic.uncounted, "packet")
        detail = say(
            "{packets} of conversations after the first {limit:,} are not told apart", packets=packets, limit=MAX_CONVERSATIONS
        )
        yield FileFinding("limit", "info", detail)


def unread_frames(facts: FileFacts) -> dict[int, int]:
    """Return how many frames a file has of each link type that is not read, also of those that another one's header names."""
    found = {number: n for number, n in facts.link_types.frames.items() if n and number not in READABLE_LINK_TYPES}
    for number, n in facts.link_types.inner.items():
        if number not in READABLE_INNER:
            found[number] = found.get(number, 0) + n
    return found


def unread_link_types(facts: FileFacts) -> list[str]:
    """Return a line for each link type of a file that is not read, with how many frames it has."""
    return [
        say(
            "{path}: {frames} of link type {name} ({number}), which is not read: nothing in them was looked at",
            path=facts.path,
            frames=count_text(n_frames, "frame"),
            name=link_name(number),
            number=number,
        )
        for number, n_frames in unread_frames(facts).items()
    ]


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
