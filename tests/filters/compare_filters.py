"""Compares the frames that pass each filter of filters.txt with those of Wireshark, which a test does for some captures.

For all of them, with the last word of tshark 4.6:

    ANALYZER_TSHARK=/path/to/tshark python tests/filters/compare_filters.py captures/*/*.pcap* ../shared/corpus/zeek/*.pcap

prints every difference that exceptions.csv does not name, and ends with status 1 if there is one. A `.keys` file beside a
capture, as in `captures/`, is given to both.
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
from filters.filter_oracle import NEWER, newer_frames  # noqa: E402

from analyzer.capture.capture_reader import CaptureReader  # noqa: E402
from analyzer.engine import Engine  # noqa: E402
from analyzer.filters.compiled_filter import compile_filter  # noqa: E402
from analyzer.filters.field_table import field_table  # noqa: E402
from analyzer.filters.frame_values import FrameValues, needs_of  # noqa: E402


def filters():
    """All filters of the list, in its order."""
    lines = (HERE / "filters.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def exceptions():
    """What may differ: filter and capture with wildcards, the reason, and options with which tshark agrees (`again`)."""
    with (HERE / "exceptions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exception_of(text, path):
    """The row of the list of exceptions that a difference falls under, or None."""
    for row in exceptions():
        if (text == row["filter"] or fnmatch(text, row["filter"])) and fnmatch(Path(path).name, row["capture"]):
            return row
    return None


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


def differences(path, ours, theirs, ask=None):
    """The filters whose frames differ, each with the frames that only one side has.

    ask: a function of filters and further options that asks tshark again, where an exception has such options.
    """
    found = {}
    for text, frames in theirs.items():
        if ours[text] == frames:
            continue
        row = exception_of(text, path)
        if row is not None and not (row["again"] and ask is not None):
            continue
        frames = ask([text], row["again"].split())[text] if row is not None else frames
        if ours[text] != frames:
            found[text] = {
                "only ours": sorted(set(ours[text]) - set(frames)),
                "only theirs": sorted(set(frames) - set(ours[text])),
            }
    return found


def main(paths):
    """Compare these captures with the newer tshark."""
    texts, worse = filters(), 0
    for path in paths:
        keys = keys_beside(path)
        options = ["-o", f"tls.keylog_file:{keys}"] if keys is not None else []

        def ask(some, more, path=path, options=options):
            return newer_frames(path, some, NEWER or "tshark", *options, *more)

        try:
            theirs = ask(texts, [])
        except ValueError as error:
            print(f"{path}: tshark: {error}", file=sys.stderr)
            continue
        found = differences(path, own_frames(path, texts, keys), theirs, ask)
        worse += len(found)
        print(f"{path}: {len(texts) - len(found)} of {len(texts)} filters find the same frames")
        for text, sides in found.items():
            print(f"    {text}  { ({side: frames[:5] for side, frames in sides.items()}) }")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
