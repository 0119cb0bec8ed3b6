"""The sections on the evidence: the files with their hashes, who had them, the quality of their times, their integrity."""

from typing import Any

from analyzer.report.document import Bullets, Code, Facts, Grid, Line, Mark, Note, Paragraph, Quoted, Section
from analyzer.report.pieces import (
    Record,
    duration,
    fingerprint,
    frames_text,
    joined,
    moment,
    offset,
    or_unknown,
    size,
)
from analyzer.report.sentences import Sentences
from analyzer.text.formatting import SHOWN_RANGES

_RESOLUTIONS = {"10^-3 s": "1 ms", "10^-6 s": "1 µs", "10^-9 s": "1 ns"}

_SCOPE = "integrity_scope"
"""The code of the observation that says what was compared."""

SHOWN_COMMENTS = 20
SHOWN_INTERFACES = 20
SHOWN_JUMPS = 20
SHOWN_SERVERS = 20


def evidence_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with every input, what it says of its origin, and the files of keys and roots, by hash."""
    evidence = facts["evidence"]
    sections = [_input(number, one, sentences) for number, one in enumerate(evidence["inputs"], 1)]
    files, stores = _other_files(evidence, sentences), _stores(evidence, sentences)
    given = [grid for grid in (files, stores) if grid.rows]
    if given:
        sections.append(Section("evidence-keys", [sentences.say("evidence.keys_title")], given))
    custody = facts["case"]["custody"]
    if custody:
        notes: list[list[Line]] = [[[moment(one["time"], sentences, 0)], [Quoted(one["text"])]] for one in custody]
        heads = [sentences.say("evidence.custody_time"), sentences.say("evidence.custody_note")]
        grid = Grid(sentences.say("evidence.custody_caption"), heads, notes)
        source = Paragraph([sentences.say("evidence.custody_source")])
        sections.append(Section("custody", [sentences.say("evidence.custody")], (grid, source)))
    lead = Paragraph([sentences.say("evidence.lead")])
    return Section("evidence", [sentences.say("evidence.title")], (lead,), sections)


def time_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section on the quality of time: what the times can be trusted for."""
    time = facts["time"]
    none = [sentences.say("none" if time["first"] else "unknown")]
    largest = time["largest_backward_seconds"]
    backward: Line = none
    if time["backward"]:
        backward = [sentences.say("time.backward_value", n=time["backward"], largest=duration(largest, sentences))]
    rows: list[tuple[str, Line]] = [
        (sentences.say("time.first"), [moment(time["first"], sentences, 9)]),
        (sentences.say("time.last"), [moment(time["last"], sentences, 9)]),
        (sentences.say("time.duration"), [duration(time["duration_seconds"], sentences)]),
        (
            sentences.say("time.resolution"),
            [sentences.comma.join(_RESOLUTIONS.get(one, one) for one in time["resolution"]) or sentences.say("unknown")],
        ),
        (sentences.say("time.backward"), backward),
        (
            sentences.say("time.jumps"),
            [sentences.say("time.jumps_value", n=time["n_jumps"])] if time["jumps"] else none,
        ),
    ]
    blocks: list[Any] = [Paragraph([sentences.say("time.lead")]), Facts(rows)]
    if time["jumps"]:
        jumps: list[list[Line]] = [
            [[str(one["frame"])], [offset(one["seconds"], sentences)]] for one in time["jumps"][:SHOWN_JUMPS]
        ]
        heads = [sentences.say("head.frame"), sentences.say("time.jump")]
        n_more = time["n_jumps"] - len(jumps)
        blocks.append(Grid(sentences.say("time.jumps_caption"), heads, jumps, frozenset({0, 1}), n_more))
    offsets = time["server_offsets"]
    if offsets:
        rows_of_offsets: list[list[Line]] = [
            [
                [Quoted(one["server"], code=True)],
                [sentences.say(f"time.source.{one['source']}")],
                [f"{one['count']:,}"],
                *([offset(one[key], sentences)] for key in ("median_seconds", "least_seconds", "most_seconds")),
            ]
            for one in offsets[:SHOWN_SERVERS]
        ]
        heads = [sentences.say(f"time.{key}") for key in ("server", "source", "count", "median", "least", "most")]
        caption, n_more = sentences.say("time.offsets"), len(offsets) - len(rows_of_offsets)
        blocks += [Grid(caption, heads, rows_of_offsets, frozenset({2, 3, 4, 5}), n_more)]
        blocks.append(Paragraph([sentences.say("time.offsets_meaning")]))
    else:
        blocks.append(Paragraph([sentences.say("time.no_offsets")]))
    return Section("time", [sentences.say("time.title")], blocks)


def integrity_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the observations on the integrity of the captures. Each one is worded as an observation."""
    observations = facts["integrity"]
    blocks: list[Any] = [Paragraph([sentences.say("integrity.lead")])]
    scopes = [one for one in observations if one["code"] == _SCOPE]
    blocks += [Paragraph(observation(one, sentences)) for one in scopes]
    items = [[*observation(one, sentences), *_frames(one, sentences)] for one in observations if one not in scopes]
    blocks.append(Bullets(items) if items else Paragraph([sentences.say("integrity.nothing")]))
    return Section("integrity", [sentences.say("integrity.title")], blocks)


def observation(one: Record, sentences: Sentences) -> Line:
    """Return the sentence of an observation. Text in its arguments, such as an address, is that of a stranger."""
    values = {name: _argument(value, sentences) for name, value in one["args"].items()}
    return sentences.line(f"integrity.{one['code']}", **{"n": one["args"].get("count")} | values)


def _argument(value: Any, sentences: Sentences) -> Any:
    if isinstance(value, list):
        return joined([[_argument(item, sentences)] for item in value], sentences.comma)
    return Quoted(value) if isinstance(value, str) else value


def _frames(one: Record, sentences: Sentences) -> Line:
    """Return the frames of an observation. Where it counts more than it names, the first ones are written, and called so."""
    frames = one["frames"]
    if not frames:
        return []
    if one["args"].get("count", 0) > len(frames):
        return [sentences.gap, sentences.say("in_first_frames", frames=frames_text(frames[:SHOWN_RANGES], sentences))]
    return [sentences.gap, sentences.say("in_frames", frames=frames_text(frames, sentences))]


def _input(number: int, one: Record, sentences: Sentences) -> Section:
    say = sentences.say
    rows: list[tuple[str, Line]] = [
        (say("evidence.file"), [Quoted(one["path"], code=True)]),
        (say("evidence.size"), [say("bytes", n=one["size"])]),
        (say("evidence.sha256"), fingerprint(one["sha256"], sentences)),
    ]
    rows += [(say(f"evidence.{key}"), [Code(one[key])]) for key in ("sha512", "blake2b") if one[key]]
    rows += [
        (say("evidence.after"), [_after(one, sentences)]),
        (say("evidence.format"), _format(one, sentences)),
        (
            say("evidence.packets"),
            [say("evidence.packets_value", n=one["frames"], first=one["first_frame"], last=one["last_frame"])],
        ),
        (say("evidence.first"), [moment(one["first_time"], sentences, 9)]),
        (say("evidence.last"), [moment(one["last_time"], sentences, 9)]),
        (say("evidence.cut"), [f"{one['truncated_frames']:,}"]),
        (say("evidence.received"), or_unknown(one["received"], sentences)),
        (say("evidence.dropped"), or_unknown(one["dropped"], sentences)),
        (say("evidence.secrets"), [f"{one['secrets']:,}"]),
    ]
    for section in one["sections"]:
        rows += [(say(f"evidence.{key}"), or_unknown(section[key], sentences)) for key in ("hardware", "os", "application")]
    blocks: list[Any] = [Facts(rows)]
    if one["error"] is not None:
        error = one["error"]
        detail = sentences.line("evidence.error", field=error["field"], offset=error["offset"], detail=Quoted(error["detail"]))
        blocks.insert(0, Note(detail, "bad"))
    interfaces = one["interfaces"]
    if interfaces["count"]:
        blocks.append(_interfaces(interfaces, sentences))
    comments = one["comments"]
    if comments["count"]:
        shown = comments["first"][:SHOWN_COMMENTS]
        rows_of_comments: list[list[Line]] = [
            [[say("evidence.of_file") if entry["frame"] is None else f"{entry['frame']}"], [Quoted(entry["text"])]]
            for entry in shown
        ]
        heads = [say("head.frame"), say("evidence.comment")]
        blocks.append(Grid(say("evidence.comments"), heads, rows_of_comments, frozenset(), comments["count"] - len(shown)))
    return Section(
        f"evidence-{number}", sentences.line("evidence.input", number=number, name=Quoted(_base(one["path"]))), blocks
    )


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or path


def _after(one: Record, sentences: Sentences) -> Mark:
    if one["unchanged"] is None:
        return Mark(sentences.say("evidence.after_unknown"), "unsure")
    return (
        Mark(sentences.say("evidence.after_same"), "good")
        if one["unchanged"]
        else Mark(sentences.say("evidence.after_other"), "bad")
    )


def _format(one: Record, sentences: Sentences) -> Line:
    words = [one["format"] or sentences.say("unknown"), *one["link_types"]]
    if one["compression"]:
        words.append(sentences.say("evidence.compressed", how=one["compression"]))
    return [sentences.comma.join(words)]


def _interfaces(interfaces: Record, sentences: Sentences) -> Grid:
    shown = interfaces["first"][:SHOWN_INTERFACES]
    rows: list[list[Line]] = [
        [
            or_unknown(entry["name"], sentences, code=True),
            or_unknown(entry["description"], sentences),
            [Quoted(entry["link_type"])],
            [f"{entry['snap_length']:,}" if entry["snap_length"] else sentences.say("evidence.no_limit")],
            or_unknown(entry["filter"], sentences, code=True),
            joined([[Quoted(value)] for value in (entry["hardware"], entry["os"]) if value], sentences.comma)
            or [sentences.say("unknown")],
            or_unknown(entry["dropped"], sentences),
        ]
        for entry in shown
    ]
    keys = ("interface", "description", "link_type", "snap_length", "filter", "machine", "dropped")
    heads = [sentences.say(f"evidence.{key}") for key in keys]
    return Grid(sentences.say("evidence.interfaces"), heads, rows, frozenset({3, 6}), interfaces["count"] - len(shown))


def _other_files(evidence: Record, sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [
            [sentences.say(f"evidence.{kind}")],
            [Quoted(one["path"], code=True)],
            [sentences.say("unknown") if one["size"] is None else size(one["size"], sentences)],
            fingerprint(one["sha256"], sentences),
        ]
        for kind in ("key_logs", "private_keys", "psk_files", "certificates", "case_files")
        for one in evidence[kind]
    ]
    heads = [sentences.say(f"evidence.{key}") for key in ("kind", "file", "size", "sha256")]
    return Grid(sentences.say("evidence.other_files"), heads, rows, frozenset({2}))


def _stores(evidence: Record, sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [
            [Quoted(one["store"])],
            [one["date"]],
            fingerprint(one["sha256"], sentences),
            or_unknown(one["certificates"], sentences),
        ]
        for one in evidence["trust"]
    ]
    heads = [sentences.say(f"evidence.{key}") for key in ("store", "date", "sha256", "roots")]
    return Grid(sentences.say("evidence.stores"), heads, rows, frozenset({3}))
