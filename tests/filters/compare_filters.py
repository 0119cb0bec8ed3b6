"""Compares the frames that pass each filter of filters.txt with those of Wireshark, which a test does for some captures.

For all of them, with the last word of tshark 4.6, in some five minutes:

    ANALYZER_TSHARK=/path/to/tshark python tests/filters/compare_filters.py captures ../shared/corpus

prints every difference that exceptions.csv does not name, and ends with status 1 if there is one. A folder stands for all
captures in it. A `.keys` file beside a capture, as in `captures/`, is given to both. A row of exceptions.csv with options is no
excuse: with these options (`again`) tshark has to find the same frames. A row with `frames` excuses these alone; with
`undecoded`, those in which tshark names a protocol that we never name. Rows that were not needed are named at the end.
"""

import csv
import sys
from contextlib import closing
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from filters.field_readings import facts_of, keylog_of  # noqa: E402
from filters.filter_oracle import NEWER, newer_frames, newer_protocols  # noqa: E402

from analyzer.capture.capture_reader import CaptureReader  # noqa: E402
from analyzer.engine import Engine  # noqa: E402
from analyzer.filters.compiled_filter import compile_filter  # noqa: E402
from analyzer.filters.field_table import field_table  # noqa: E402
from analyzer.filters.frame_values import FrameValues, needs_of  # noqa: E402

NAMES = frozenset(
    [
        "arp",
        "data-text-lines",
        "dns",
        "dtls",
        "eth",
        "ethertype",
        "http",
        "http2",
        "http3",
        "icmp",
        "icmpv6",
        "image-gif",
        "image-jfif",
        "ip",
        "ipv6",
        "ipv6.dstopts",
        "ipv6.fraghdr",
        "ipv6.hopopts",
        "ipv6.routing",
        "json",
        "llmnr",
        "mdns",
        "media",
        "null",
        "ocsp",
        "pkixalgs",
        "png",
        "ppp",
        "quic",
        "raw",
        "sll",
        "tcp",
        "tls",
        "udp",
        "urlencoded-form",
        "vlan",
        "websocket",
        "x509ce",
        "x509sat",
        "xml",
    ]
)
"""The protocols that we name in `frame.protocols`."""


def filters():
    """All filters of the list, in its order."""
    lines = (HERE / "filters.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def exceptions():
    """What may differ: filter and capture with wildcards, the reason, options with which tshark agrees (`again`), frames."""
    with (HERE / "exceptions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exceptions_of(text, path):
    """The rows of the list of exceptions that a difference may fall under."""
    return [
        row
        for row in exceptions()
        if (text == row["filter"] or fnmatch(text, row["filter"])) and fnmatch(Path(path).name, row["capture"])
    ]


def keys_beside(path):
    """The key log of a capture of `captures/`, or None."""
    return next(iter(sorted(Path(path).parent.glob("*.keys"))), None) if Path(path).parent.name != "captures" else None


def own_frames(path, texts, keys=None):
    """The numbers of the frames that pass, for each expression."""
    compiled = {text: compile_filter(text, field_table()) for text in texts}
    engine = Engine(detailed=True, in_order=False, keylog=keylog_of(keys))
    fields = frozenset().union(*(one.fields for one in compiled.values()))
    values = FrameValues(fields, engine, facts_of(path, keys) if needs_of(fields)[1] else None)
    found = {text: [] for text in texts}
    with closing(CaptureReader([str(path)]).packet_readers()) as readers:
        for frames in readers:
            while engine.step(frames):
                values.take(frames.frame, engine.take())
                for text, one in compiled.items():
                    if one.matches(values):
                        found[text].append(frames.frame.number)
    return found


def differences(path, ours, theirs, ask=None, needed=None, undecoded=None):
    """The filters whose frames differ, each with the frames that only one side has.

    ask: a function of filters and further options that asks tshark again, where an exception has such options. Without it such
    an exception is one without condition. needed: gets the rows of the list of exceptions that were needed. undecoded: returns
    the frames for which rows with that word stand; without it they stand for all.
    """
    needed = [] if needed is None else needed
    found, waiting = {}, {}
    for text, frames in theirs.items():
        if ours[text] == frames:
            continue
        found[text] = {"only ours": _only(ours[text], frames), "only theirs": _only(frames, ours[text])}
        left = set(ours[text]) ^ set(frames)
        for row in exceptions_of(text, path):
            if row["again"] and ask is not None:
                waiting.setdefault(row["again"], []).append((text, row))
                continue
            excused = left & _frames_of(row, left, undecoded)
            if excused:
                needed.append(row)
                left -= excused
        if not left:
            del found[text]
    waiting = {options: [pair for pair in pairs if pair[0] in found] for options, pairs in waiting.items()}
    for options, pairs in waiting.items():
        texts = list(dict.fromkeys(text for text, _ in pairs if text in found))
        answers = ask(texts, options.split()) if texts else {}
        for text, row in pairs:
            left = set(ours[text]) ^ set(answers[text])
            for other in exceptions_of(text, path):
                left -= set() if other["again"] else _frames_of(other, left, undecoded)
            if text in found and not left:
                del found[text]
                needed.append(row)
    return found


def _frames_of(row, left, undecoded):
    """The frames of those that are left that a row stands for."""
    if row["frames"] == "undecoded":
        return left if undecoded is None else undecoded()
    numbers = set()
    for part in row["frames"].split():
        first, _, last = part.partition("-")
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers if row["frames"] else left


def _only(frames, others):
    return sorted(set(frames) - set(others))


def captures_in(paths):
    """The captures that these paths name: files, and all captures in folders."""
    for path in map(Path, paths):
        found = (one for one in path.rglob("*.*cap*") if one.is_file() and one.suffix != ".jsonl")  # those are expected outputs
        yield from sorted(found) if path.is_dir() else (path,)


def main(paths):
    """Compare these captures with the newer tshark."""
    texts, worse, whole, needed, names = filters(), 0, 0, [], set()
    for path in captures_in(paths):
        keys = keys_beside(path)
        options = ["-o", f"tls.keylog_file:{keys}"] if keys is not None else []

        def ask(some, more, path=path, options=options):
            return newer_frames(path, some, NEWER or "tshark", *options, *more)

        @cache
        def undecoded(path=path, options=options):
            rows = newer_protocols(path, NEWER or "tshark", *options)
            return {number for number, names in enumerate(rows, 1) if not NAMES.issuperset(names)}

        try:
            theirs = ask(texts, [])
        except ValueError as error:
            print(f"{path}: tshark: {error}", file=sys.stderr)
            worse += 1
            continue
        found = differences(path, own_frames(path, texts, keys), theirs, ask, needed, undecoded)
        worse += len(found)
        whole += not found
        names.add(path.name)
        print(f"{path}: {len(texts) - len(found)} of {len(texts)} filters find the same frames, or have a reason", flush=True)
        for text, sides in found.items():
            print(f"    {text}  { ({side: frames[:5] for side, frames in sides.items()}) }")
    print(f"{whole} of {len(names)} captures agree but for the exceptions of the list")
    for row in exceptions():
        if row not in needed and any(fnmatch(name, row["capture"]) for name in names):
            print(f"not needed: {row['filter']}, {row['capture']}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
