"""Estimates what more processes than this machine has cores would gain: `python -m benchmarks.processes CAPTURE [-k KEYS]`.

The processes of a run do not wait for each other as long as each has a core. So a run takes as long as the process that works
longest: the first one, which merges the results of all, or the largest of the others. Here each is run by itself, and its
processor time is measured, without the start of Python. What cores take from each other (memory, caches, clock rate) is not in
these figures.
"""

import argparse
import marshal
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.main import main as analyzer
from analyzer.cli.sessions import record_text
from analyzer.secrets.keylog import KeyLog
from analyzer.store.secret_files import feed_key_log
from analyzer.store.shard import Progress, Shard

NUMBERS = (1, 2, 4, 8, 16)


def processor_time(work: Callable[[], object]) -> float:
    """Return the processor seconds that `work` takes in a process of its own, whose output nobody sees."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        began = time.process_time()
        work()
        os.write(writing, str(time.process_time() - began).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    if os.waitpid(process, 0)[1] != 0:
        raise SystemExit("a process failed")
    return float(text)


def first(capture: Path, keys: Path | None, number: int) -> float:
    """Return the processor seconds of the first of `number` processes."""
    options = ["sessions", str(capture), "--format", "json", "-j", str(number)]
    return processor_time(lambda: analyzer(options if keys is None else [*options, "-k", str(keys)]))


def largest_other(capture: Path, keys: Path | None, number: int) -> float:
    """Return the processor seconds of the one among the other processes that takes longest."""
    engine: dict[str, object] = {"fields": False}
    if keys is not None:
        keylog = KeyLog()
        feed_key_log(keylog, str(keys))
        engine["keylog"] = keylog

    def read(shard: int) -> None:
        for turn in Shard(
            CaptureReader([str(capture)]), engine, record_text(False, True), (shard, number), Progress(number)
        ).turns():
            marshal.dumps(tuple(turn))

    return max((processor_time(lambda shard=shard: read(shard)) for shard in range(1, number)), default=0.0)


def main() -> int:
    """Print a table in Markdown: processes, processor time of the first and of the largest other, and what is gained."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.processes", description="What more processes would gain.")
    parser.add_argument("capture", type=Path)
    parser.add_argument("-k", "--keylog", type=Path)
    arguments = parser.parse_args()
    print("| processes | the first, s | the largest of the others, s | times one process |")
    print("| ---: | ---: | ---: | ---: |")
    alone = 0.0
    for number in NUMBERS:
        own = first(arguments.capture, arguments.keylog, number)
        other = largest_other(arguments.capture, arguments.keylog, number)
        alone = alone or own
        print(f"| {number} | {own:.2f} | {other:.2f} | {alone / max(own, other):.1f} |")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
