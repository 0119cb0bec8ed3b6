"""Prints the facts of a capture file as a block of lines."""

from collections.abc import Sequence

from analyzer.analysis.traffic import link_name
from analyzer.capture.blocks import Interface
from analyzer.capture.capture_reader import FileFacts
from analyzer.cli.output import Output
from analyzer.cli.table import Column, Table, pad, width, wrap
from analyzer.text.escape import harmless
from analyzer.text.file_findings import error_line
from analyzer.text.formatting import count_text, duration_text, moment_text, size_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import beside, clauses, listing

LABEL = 14
"""Width of the labels, in columns."""

_LONGEST = 48
"""Columns of the path of a file in a table."""

_FILES = (
    Column("capture", 0),
    Column("format", 4),
    Column("size", 2, right=True),
    Column("frames", 1, right=True),
    Column("first frame at", 3),
    Column("SHA-256", 5),
)

SHOWN_INTERFACES = 8
SHOWN_COMMENTS = 20


def print_file(facts: FileFacts, output: Output) -> None:
    """Print the facts of a file that was read."""
    for line in wrap(harmless(say("standard input") if facts.path == "-" else facts.path), output.width):
        output.line(output.paint(line, "bold"))
    if facts.format is None:
        print_fact(output, "problem", retold(error_line(facts)), "alarm")
        return
    packed = say(", packed with {compression}", compression=facts.compression) if facts.compression else ""
    size = beside(size_text(facts.size), count_text(facts.size, "byte"))
    print_fact(output, "format", clauses(f"{facts.format}{packed}", size))
    print_fact(output, "SHA-256", facts.sha256 or say("unknown"))
    truncated = say(", {n:,} of them cut by the snapshot length", n=facts.truncated_frames) if facts.truncated_frames else ""
    shown = facts.first_frame > 1 and facts.frames
    numbers = say(", numbers {first:,} to {last:,}", first=facts.first_frame, last=facts.last_frame) if shown else ""
    print_fact(output, "frames", f"{facts.frames:,}{truncated}{numbers}")
    if facts.first_time is not None and facts.last_time is not None:
        span = duration_text(facts.last_time - facts.first_time)
        first, last = moment_text(facts.first_time), moment_text(facts.last_time)
        print_fact(output, "time", beside(say("{first} to {last} UTC", first=first, last=last), span))
    print_fact(output, "link type", listing(map(link_name, facts.link_types.frames)) or say("none"))
    _print_interfaces(facts, output)
    for section in facts.sections[:SHOWN_INTERFACES]:
        made = listing(harmless(text) for text in (section.application, section.os, section.hardware) if text)
        if made:
            print_fact(output, "written by", made)
    for number, comment in facts.comments[:SHOWN_COMMENTS]:
        print_fact(output, "comment", (say("frame {n}: ", n=number) if number else "") + harmless(comment))
    if len(facts.comments) > SHOWN_COMMENTS:
        further = count_text(len(facts.comments) - SHOWN_COMMENTS, "further comment")
        print_fact(output, "", say("and {further}", further=further))
    if facts.names:
        print_fact(output, "names", say("of {addresses}", addresses=count_text(len(facts.names), "address", "addresses")))
    if facts.n_secrets:
        print_fact(
            output,
            "secrets",
            say("{blocks}: this file holds keys", blocks=count_text(facts.n_secrets, "Decryption Secrets Block")),
        )
    if facts.error is not None:
        print_fact(output, "problem", retold(error_line(facts).removeprefix(facts.path + ": ")), "alarm")


def print_files(files: Sequence[FileFacts], output: Output, n_blocks: int, n_rows: int) -> None:
    """Print the facts of the files: as blocks if there are at most `n_blocks`, else their sums and a table of `n_rows`."""
    if len(files) <= n_blocks:
        for number, facts in enumerate(files):
            if number:
                output.line()
            print_file(facts, output)
        return
    output.line(output.paint(count_text(len(files), "capture"), "bold"))
    print_fact(output, "size", size_text(sum(facts.size for facts in files)))
    print_fact(output, "frames", f"{sum(facts.frames for facts in files):,}")
    first = [facts.first_time for facts in files if facts.first_time is not None]
    last = [facts.last_time for facts in files if facts.last_time is not None]
    if first and last:
        begin, end = min(first), max(last)
        span = say("{first} to {last} UTC", first=moment_text(begin), last=moment_text(end))
        print_fact(output, "time", beside(span, duration_text(end - begin)))
    table = Table(_FILES, output, indent=2)
    for facts in files[:n_rows]:
        table.add(
            [
                _end_of(harmless(facts.path)),
                facts.format or say("no capture"),
                size_text(facts.size),
                f"{facts.frames:,}",
                moment_text(facts.first_time) if facts.frames else "",
                facts.sha256 or say("unknown"),
            ]
        )
    table.close()
    if len(files) > n_rows:
        further = count_text(len(files) - n_rows, "further capture")
        output.line(output.paint("  " + say("and {further}", further=further), "dim"))


def _end_of(path: str) -> str:
    """Return a path, without its beginning if it is too long: the name of the file is at its end."""
    return path if width(path) <= _LONGEST else "…" + path[1 - _LONGEST :]


def print_fact(output: Output, label: str, text: str, style: str = "") -> None:
    """Print a label, and its text beside it. The text is wrapped, and made harmless; doing that twice changes nothing."""
    label = " " * (len(label) - len(label.lstrip())) + say(label.lstrip())
    for line in wrap(harmless(text), output.width - LABEL - 2):
        output.line("  " + output.paint(pad(label, LABEL), "dim") + output.paint(line, style))
        label = ""


def _print_interfaces(facts: FileFacts, output: Output) -> None:
    dropped = {}
    for statistics in facts.statistics:
        counts = (statistics.dropped_by_interface, statistics.dropped_by_system)
        dropped[statistics.interface] = sum(count for count in counts if count is not None)
    shown = [interface for interface in facts.interfaces if _has_facts(interface) or dropped.get(interface.number)]
    for interface in shown[:SHOWN_INTERFACES]:
        words = [harmless(interface.name or say("number {n}", n=interface.number))]
        if interface.description:
            words.append(harmless(interface.description))
        if interface.snap_length and interface.snap_length < 65535:
            words.append(say("snapshot length {n}", n=interface.snap_length))
        if interface.filter:
            words.append(say("filter {filter}", filter=harmless(interface.filter)))
        if interface.os:
            words.append(harmless(interface.os))
        if dropped.get(interface.number):
            words.append(say("{n:,} packets dropped while capturing", n=dropped[interface.number]))
        print_fact(output, "interface", clauses(*words))
    if len(shown) > SHOWN_INTERFACES:
        further = count_text(len(shown) - SHOWN_INTERFACES, "further interface")
        print_fact(output, "", say("and {further}", further=further))


def _has_facts(interface: Interface) -> bool:
    truncated = 0 < interface.snap_length < 65535
    return bool(interface.name or interface.description or interface.filter or interface.os or truncated)
