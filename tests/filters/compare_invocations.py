"""Compares what command lines print (field_invocations.txt) with what tshark prints, which a test does for those of captures/.

For all of them, with the last word of tshark 4.6:

    ANALYZER_TSHARK=/path/to/tshark ANALYZER_CORPUS=../shared/corpus python tests/filters/compare_invocations.py

prints every line whose text differs, with the first row that does, and ends with status 1 if there is one.
"""

import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPUS = os.environ.get("ANALYZER_CORPUS")
"""The folder of further captures, or None."""

_GONE = re.compile(rb'^ +"_type": "doc",\n|,"_type":"doc"', re.MULTILINE)
"""What versions before 4.2 print too."""


@dataclass(frozen=True)
class Invocation:
    """A line of the list. newer: whether only tshark 4.6 prints the same."""

    words: tuple[str, ...]
    newer: bool

    @property
    def has_capture(self):
        """Whether its capture is here."""
        return CORPUS is not None or "{corpus}" not in " ".join(self.words)

    def command(self):
        """Its words, with the folder of the corpus."""
        return [word.replace("{corpus}", CORPUS or "") for word in self.words]


def invocations():
    """All lines of the list, in its order."""
    lines = (HERE / "field_invocations.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    return [Invocation(tuple(shlex.split(line.removeprefix("4.6 "))), line.startswith("4.6 ")) for line in kept]


def own_texts(chosen):
    """What the analyzer prints for each of these, in one process."""
    code = f"import sys; sys.path[:0] = [{str(HERE.parent)!r}]; from filters.compare_invocations import print_all; print_all()"
    lines = "\0".join("\x01".join(one.command()) for one in chosen)
    done = subprocess.run([sys.executable, "-c", code], input=lines.encode(), capture_output=True, cwd=ROOT, check=False)
    assert not done.stderr, done.stderr.decode()
    return done.stdout.split(b"\0")[: len(chosen)]


def print_all():
    """Print what the analyzer prints for the command lines of standard input, each with a zero byte behind it."""
    from analyzer.cli.main import main

    lines, real = sys.stdin.read().split("\0"), os.dup(1)
    for line in lines:
        with TemporaryFile() as file:
            os.dup2(file.fileno(), 1)
            main(line.split("\x01"))
            sys.stdout.flush()
            file.seek(0)
            with os.fdopen(os.dup(real), "wb") as out:
                out.write(file.read() + b"\0")


def tshark_texts(chosen, program):
    """What tshark prints for each of these."""

    def printed(one):
        done = subprocess.run([program, "-n", *one.command()], capture_output=True, cwd=ROOT, check=False)
        return _GONE.sub(b"", done.stdout)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(printed, chosen))


def differences(chosen, program):
    """The command lines whose text differs, each with the first rows that do."""
    found = {}
    for one, ours, theirs in zip(chosen, own_texts(chosen), tshark_texts(chosen, program), strict=True):
        if ours != theirs or not ours:
            rows = zip(ours.splitlines(), theirs.splitlines(), strict=False)
            found[shlex.join(one.words)] = next((pair for pair in rows if pair[0] != pair[1]), (len(ours), len(theirs)))
    return found


def main():
    """Compare all lines."""
    program = os.environ.get("ANALYZER_TSHARK") or "tshark"
    chosen = [one for one in invocations() if one.has_capture]
    found = differences(chosen, program)
    print(f"{len(chosen) - len(found)} of {len(chosen)} command lines print the same")
    for line, (ours, theirs) in found.items():
        print(f"{line}\n    {ours!r}\n    {theirs!r}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
