"""Compares what -T fields prints for each field of the table with what tshark prints, which a test does for some captures.

For all of them, with the last word of tshark 4.6:

    ANALYZER_TSHARK=/path/to/tshark python tests/filters/compare_fields.py captures/*/*.pcap* ../shared/corpus/zeek/*/*.pcap

prints every field that differs and that field_exceptions.csv does not name, with the first frame where it differs, and ends
with status 1 if there is one. A `.keys` file beside a capture, as in `captures/`, is given to both.
"""

import csv
import subprocess
import sys
from contextlib import closing
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

from filters.compare_filters import keys_beside  # noqa: E402
from filters.field_readings import facts_of, keylog_of  # noqa: E402
from filters.filter_oracle import NEWER  # noqa: E402

from analyzer.capture.capture_reader import CaptureReader  # noqa: E402
from analyzer.cli.field_form import FieldForm  # noqa: E402
from analyzer.engine import Engine  # noqa: E402
from analyzer.filters.field_columns import FieldColumns  # noqa: E402
from analyzer.filters.field_table import field_table  # noqa: E402
from analyzer.filters.frame_values import FrameValues, needs_of  # noqa: E402

SEPARATOR, AGGREGATOR = "\x01", "\x02"


@cache
def exceptions():
    """What may differ: field and capture with wildcards, and the reason."""
    with (HERE / "field_exceptions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_excepted(name, path):
    """Whether the list of exceptions names the field in that capture."""
    return any(fnmatch(name, row["field"]) and fnmatch(Path(path).name, row["capture"]) for row in exceptions())


@cache
def names_known_to(program):
    """The names of all fields of the table that this tshark has."""
    listing = subprocess.run([program, "-G", "fields"], capture_output=True, text=True, check=True).stdout
    theirs = {line.split("\t")[2] for line in listing.splitlines() if line[:2] in ("F\t", "P\t")}
    return [field.name for field in field_table() if field.name in theirs]


def own_rows(path, names, keys=None):
    """The cells of every frame, as -T fields has them."""
    columns = FieldColumns(names, field_table())
    form = FieldForm(separator=SEPARATOR, aggregator=AGGREGATOR)
    needs_engine, needs_facts = needs_of(columns.fields)
    engine = Engine(detailed=True, in_order=False, keylog=keylog_of(keys)) if needs_engine else None
    values = FrameValues(columns.fields, engine, facts_of(path, keys) if needs_facts else None)
    with closing(CaptureReader([str(path)]).packet_readers()) as readers:
        for frames in readers:
            while engine.step(frames) if engine is not None else frames.advance():
                values.take(frames.frame, engine.take() if engine is not None else ())
                yield form.row(columns.texts(values)).split(SEPARATOR)
                values.note_shown()


def tshark_rows(path, names, program, keys=None):
    """The cells of every frame, as tshark prints them."""
    command = [program, "-n", "-r", str(path), "-T", "fields", "-E", f"separator={SEPARATOR}", "-E", f"aggregator={AGGREGATOR}"]
    if keys is not None:
        command += ["-o", f"tls.keylog_file:{keys}"]
    for name in names:
        command += ["-e", name]
    rows = subprocess.run(command, capture_output=True, check=False)
    text = rows.stdout.decode("utf-8", "replace")
    if not text and rows.returncode:
        raise ValueError(rows.stderr.decode(errors="replace").strip().splitlines()[-1])
    for line in text.split("\n")[:-1]:
        yield line.split(SEPARATOR)


def differences(path, names, program, keys=None):
    """The fields that differ without an exception: how often, and the first frame with both texts."""
    found = {}
    ours, theirs = own_rows(path, names, keys), tshark_rows(path, names, program, keys)
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if mine == other:
            continue
        for name, left, right in zip(names, mine, other, strict=True):
            if left != right:
                count, *first = found.get(name, (0, number, left, right))
                found[name] = (count + 1, *first)
    return {name: difference for name, difference in found.items() if not is_excepted(name, path)}


def main(paths):
    """Compare these captures."""
    program = NEWER or "tshark"
    names, worse = names_known_to(program), 0
    for path in paths:
        try:
            found = differences(path, names, program, keys_beside(path))
        except ValueError as error:
            print(f"{path}: tshark: {error}", file=sys.stderr)
            continue
        worse += len(found)
        print(f"{path}: {len(names) - len(found)} of {len(names)} fields have the same text")
        for name, (count, number, ours, theirs) in found.items():
            print(f"    {name}: {count} times; in frame {number} {_short(ours)} and not {_short(theirs)}")
    return 1 if worse else 0


def _short(text):
    return repr(text if len(text) < 160 else text[:80] + "…" + text[-60:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
