"""Runs all commands on mutated captures, and says where one fails, is slow, needs much memory or prints what it must not.

    python tests/mutate.py --count 10000                 the installed build; PYTHONPATH=. for the checkout
    python tests/mutate.py --first 4711 --count 1        one mutated capture again
    python tests/mutate.py --count 100 --crosscheck      also with tshark, which takes a second each

Each number gives one capture of `captures/` (or of the folders that are named), mutated by `mutations.py`, and for it one
command line of every command, with forms, filters and keys chosen by the number. A child process runs them, so that nothing
that one leaves behind reaches the next, and its memory is its own. What it finds is printed with the number, and the capture
kept in the folder of `--keep`. The status is 1 if there was anything.

A run must end within 10 s, with status 0 to 3, without a traceback, at no more than 500 MB; JSON must be JSON, and neither text
nor CSV may have a character that controls a terminal.
"""

import argparse
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

from mutations import changed, mutated
from outputs import FORMS, OTHER, captures_in, keys_of, redirected

ROOT = Path(__file__).resolve().parents[1]

MAX_SECONDS = 10
"""What a run may take, of a processor: the machine may have other work."""

STUCK_SECONDS = 120
"""After so long by the clock, a run that takes no time waits for something that never comes."""

MAX_BYTES = 500_000_000
"""What a process may take of memory, the modules of all commands included."""

HARD_BYTES = 4_000_000_000
"""The address space of a child: one that wants more ends, before the machine does."""

TAPS = (
    "conv,tcp", "conv,udp", "conv,ip", "conv,ipv6", "conv,eth", "endpoints,tcp", "endpoints,ip", "io,phs", "io,stat,1",
    "io,stat,0.001,tcp,udp", "io,stat,1,AVG(frame.len)frame.len", "http,tree", "http_req,tree", "http_srv,tree", "expert",
    "expert,warn", "follow,tcp,ascii,0", "follow,tcp,hex,0", "follow,tls,raw,0", "follow,tls,yaml,0", "follow,tcp,yaml,1",
)  # fmt: skip
FIELDS = (
    "frame.number", "frame.time", "ip.src", "ip.dst", "tcp.stream", "tcp.flags", "tcp.options", "tls.handshake.type",
    "tls.handshake.extensions_server_name", "tls.handshake.ciphersuite", "x509sat.uTF8String", "http.request.uri", "http.host",
    "http2.headers.path", "quic.connection.number", "dns.qry.name", "_ws.col.info", "_ws.col.protocol", "tcp.payload",
    "tls.alert_message.desc", "icmp.type", "frame.protocols", "tcp.analysis.retransmission",
)  # fmt: skip
TEXTS = ("text", "csv", "fields")
"""Forms that a terminal or a spreadsheet shows."""


def command_lines(capture: str, keys: list[str], random: Random, scratch: str, crosscheck: bool) -> Iterator[list[str]]:
    """One command line for every command, and two with filters."""
    pick = random.choice
    keyed = keys if random.random() < 0.8 else []
    forms = ("text", "json", "csv")
    more: list[str] = pick(([], [], [], ["--lang", "zh"], ["--host", "www.example"], ["--color", "always"], ["-c", "20"]))
    more = [*keyed, *more]
    yield ["summary", capture, "--format", pick(("text", "json")), *more]
    yield ["sessions", capture, *pick((["--format", "json", "--messages"], ["--format", pick(forms)])), *more]
    for form in ("text", "json"):
        extra = pick(([], ["--fields"], ["--terse"], ["--explain"])) if form == "text" else []
        yield ["show", capture, pick("001"), "--format", form, *extra, *more]
    yield ["packets", capture, "--format", pick(forms), *more]
    yield ["packets", capture, "-T", pick(("json", "ek")), *(w for f in random.sample(FIELDS, 6) for w in ("-e", f)), *more]
    yield ["packets", capture, "-T", "fields", *(w for f in random.sample(FIELDS, 6) for w in ("-e", f)), *more]
    yield ["packets", capture, *pick((["-V", "-c", "4"], ["-T", "text", "-t", "ad"], ["--color-legend"])), *keyed]
    yield ["packets", capture, "-Y", pick(_filters()), *more]
    yield ["sessions", capture, "-Y", pick(_filters()), "--format", "json", *more]
    yield ["packet", capture, str(random.randrange(1, 60)), *keyed]
    yield ["certificates", capture, "--format", pick(forms), *more]
    yield ["keys", capture, "--format", pick(("text", "json")), *(keys or ["-k", os.devnull])]
    yield ["http", capture, "--format", pick(forms), *more]
    yield ["inventory", capture, "--format", pick((*forms, "cbom")), *more]
    pair = (capture, OTHER) if random.random() < 0.5 else (OTHER, capture)
    way: list[str] = pick(([], ["--places"], ["--times"], ["--new-findings"]))
    yield ["compare", *pair, "--format", pick(forms), *way, *more]
    what = pick(("protocols", "conversations", "endpoints", "io", "tls", "http"))
    yield ["stats", capture, what, "--format", pick((*forms, "svg") if what == "io" else forms), *more]
    yield ["stats", capture, *(word for tap in random.sample(TAPS, 3) for word in ("-z", tap)), *keyed]
    yield [
        "follow",
        capture,
        pick("001"),
        *pick(([], ["--format", "json"], ["--hex"], ["--ascii"], ["--from", "client"])),
        *more,
    ]
    yield ["follow", capture, "--stream", pick("001"), *pick(([], ["--format", "json"])), *more]
    yield ["export", capture, "-o", f"{scratch}/folder", "--what", "objects,certificates,streams", *more]
    yield ["export", capture, *pick((["-o", f"{scratch}/keyed.pcapng"], ["--plaintext", f"{scratch}/plain.pcapng"])), *keyed]
    yield ["export", capture, "--har", f"{scratch}/web.har", *keyed]
    for form in (pick(("html", "md", "json")), pick(("pdf", "case", "stix"))):
        yield ["report", capture, "-o", f"{scratch}/report", "--force", "--format", form, *keyed]
    if random.random() < 0.03:
        yield ["sessions", capture, "--format", "json", "-j", "2", *keyed]
    if crosscheck:
        yield ["crosscheck", capture, "--format", pick(forms), *keyed]


_read: list[str] = []


def _filters() -> list[str]:
    """The filters of the tests of the filter language."""
    if not _read:
        lines = (ROOT / "tests" / "filters" / "filters.txt").read_text(encoding="utf-8").splitlines()
        _read.extend(line for line in lines if line.strip() and not line.startswith("#"))
    return _read


def wrong_output(line: Sequence[str], status: object, out: bytes, err: bytes) -> str:
    """What a run must not have printed, or its status; empty if all is well."""
    if status not in (0, 1, 2, 3):
        return f"status {status}"
    for trace in (b"Traceback (most recent call last)", b"Exception ignored in", b"Warning: "):
        if trace in err:
            return err.decode("utf-8", "replace")
    form = next((after for word, after in pairwise(line) if word in ("--format", "-T")), "text")
    if form in ("json", "cbom", "ek") and line[0] != "report":
        try:
            for one in out.splitlines() if out.count(b"\n{") else [out]:
                json.loads(one or b"null")  # lines of objects, or one value
        except ValueError as error:
            return f"JSON that is none: {error}"
    coloured = "--color" in line or "--raw" in line
    if form in TEXTS and not coloured and not any(tap.startswith("follow,") for tap in line):
        text = (out + err).decode("utf-8", "surrogateescape")
        bad = next((one for one in text if not (one.isprintable() or one in "\r\n\t")), None)
        if bad is not None:
            return f"prints {bad!r} raw, in {text[max(0, text.index(bad) - 40) :][:90]!r}"
    return ""


def memory_of(what: str) -> int:
    """A memory of this process by its name in proc(5), in bytes: VmHWM is the most it had since `forget_peak`."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(what))


def forget_peak() -> None:
    """Begin the measure of VmHWM again (proc(5): clear_refs)."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def run(line: list[str], scratch: Path, begun_with: int = 0) -> tuple[str, float, int]:
    """Run one command line: what is wrong, its seconds, and its memory in bytes beyond what the process had when it began."""
    import traceback

    from analyzer.cli.main import main

    out, err = scratch / "out", scratch / "err"
    forget_peak()
    signal.setitimer(signal.ITIMER_REAL, STUCK_SECONDS)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)  # either signal says where the run is, and ends it
    begun = time.process_time()
    wrong = ""
    with out.open("wb") as output, err.open("wb") as errors, redirected(output.fileno(), errors.fileno()):
        try:
            status: object = main(line)
        except SystemExit as end:
            status = end.code or 0
        except BaseException:  # noqa: BLE001 - a traceback is what is looked for
            status, wrong = 0, traceback.format_exc()
    seconds = time.process_time() - begun
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    memory = memory_of("VmHWM:") - begun_with
    wrong = wrong or wrong_output(line, status, out.read_bytes(), err.read_bytes())
    if not wrong and memory > MAX_BYTES:
        wrong = f"{memory / 1e6:.0f} MB"
    return wrong, seconds, memory


def _child(report: int, capture: Path, number: int, options: argparse.Namespace) -> None:
    """Mutate and run in a child process, writing a line for each run into the pipe."""
    begun_with = memory_of("VmRSS:")
    hard = HARD_BYTES + memory_of("VmSize:")
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, os.fdopen(report, "w", buffering=1) as told:
        faulthandler.enable(told)
        for number_of_signal in (signal.SIGPROF, signal.SIGALRM):
            faulthandler.register(number_of_signal, told, chain=True)
        place, keys, random = _prepared(capture, number, options, Path(folder))
        for line in command_lines(str(place), keys, random, folder, options.crosscheck):
            told.write(json.dumps({"begun": line}) + "\n")
            wrong, seconds, memory = run(line, Path(folder), begun_with)
            told.write(json.dumps({"line": line, "wrong": wrong, "seconds": seconds, "memory": memory}) + "\n")
        told.write(json.dumps({"done": True}) + "\n")


def _prepared(capture: Path, number: int, options: argparse.Namespace, folder: Path) -> tuple[Path, list[str], Random]:
    """The mutated capture and its keys, some mutated too, in the folder; the random source for what follows."""
    random = Random(f"{options.seed}/{number}")
    other = random.choice(options.files).read_bytes()
    place = folder / f"mutated{capture.suffix}"
    place.write_bytes(mutated(capture.read_bytes(), other, random))
    keys = keys_of(capture, Path(os.devnull))
    if keys and random.random() < 0.15:
        damaged = folder / "mutated.keys"
        damaged.write_bytes(changed(Path(keys[1]).read_bytes(), random))
        keys = ["-k", str(damaged)]
    return place, keys, random


def examine(number: int, options: argparse.Namespace) -> tuple[list[str], list[dict[str, object]]]:
    """Let a child run all commands on the capture with this number. Returns what is wrong, and the runs."""
    capture = options.files[number % len(options.files)]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            _child(writing, capture, number, options)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as told:
        lines = told.read().splitlines()
    os.waitpid(child, 0)
    runs, begun, other = [], "", []
    for text in lines:
        try:
            said = json.loads(text)
        except ValueError:
            other.append(text)
            continue
        begun = said.get("begun", begun)
        if "line" in said:
            runs.append(said)
        if "done" in said:
            begun = ""
    wrong = [f"{' '.join(one['line'])}: {one['wrong']}" for one in runs if one["wrong"]]
    if begun:
        wrong.append(f"{' '.join(begun)}: does not end\n" + "\n".join(other))
    return wrong, runs


def keep(number: int, options: argparse.Namespace) -> Path:
    """Write the mutated capture (and keys, where these are mutated) beside what was found."""
    options.keep.mkdir(parents=True, exist_ok=True)
    capture = options.files[number % len(options.files)]
    with tempfile.TemporaryDirectory() as folder:
        place, keys, _ = _prepared(capture, number, options, Path(folder))
        kept: Path = options.keep / f"{number}-{capture.name}"
        kept.write_bytes(place.read_bytes())
        if keys and Path(keys[1]).parent == Path(folder):
            kept.with_suffix(".keys").write_bytes(Path(keys[1]).read_bytes())
    return kept


def keep_parser() -> None:
    """Let all runs use one parser of command lines: to make it takes two thirds of the time of most runs.

    What a run changes in it, how many words an argument takes, is as it was for the next one.
    """
    from analyzer.cli import arguments

    root = arguments.parser()
    actions = [action for one in (root, *arguments.parsers_of_commands(root).values()) for action in one._actions]
    counts = [action.nargs for action in actions]

    def parser(needed: Sequence[str] = ()) -> argparse.ArgumentParser:
        for action, count in zip(actions, counts, strict=True):
            action.nargs = count
        return root

    arguments.parser = parser


def warm_up() -> None:
    """Import what the commands need and make the parser of command lines once, before the children begin.

    A PDF is left out, but for its import: its threads do not survive a fork. The objects of this process are then left out of
    garbage collection, so that a child does not copy the pages of each by looking at it.
    """
    import typst  # noqa: F401

    keep_parser()
    with tempfile.TemporaryDirectory() as folder:
        lines = list(command_lines(OTHER, [], Random(1), folder, False))
        report = ["report", OTHER, "-o", f"{folder}/report", "--force", "--format"]
        for line in [*(line for line in lines if line[0] != "report"), *([*report, form] for form in FORMS if form != "pdf")]:
            run(line, Path(folder))
    gc.collect()
    gc.freeze()


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python tests/mutate.py", description="All commands on mutated captures.")
    parser.add_argument("captures", nargs="*", default=[str(ROOT / "captures")], help="folders or files; captures/ if left out")
    parser.add_argument("--count", type=int, default=10_000, help="mutated captures")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--step", type=int, default=1, help="every so many-th number: two processes share the work")
    parser.add_argument("--seed", default="0", help="another seed gives other mutations")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end after so long")
    parser.add_argument("--crosscheck", action="store_true", help="run crosscheck too, which needs tshark")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "mutated", help="where findings are kept")
    options = parser.parse_args(arguments)
    options.files = captures_in(options.captures)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine; print what is wrong and, last, how many there were."""
    options = parsed(arguments)
    os.environ.update(COLUMNS="120", LC_ALL="C.UTF-8")
    from analyzer.codec.build import build

    warm_up()
    end = time.monotonic() + options.minutes * 60
    n_captures = n_wrong = n_runs = 0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    by_command: Counter[str] = Counter()
    for number in range(options.first, options.first + options.count * options.step, options.step):
        if time.monotonic() > end:
            break
        wrong, runs = examine(number, options)
        n_captures, n_runs = n_captures + 1, n_runs + len(runs)
        if n_captures % 100 == 0:
            print(f"{n_captures} mutated captures, {n_runs} runs", file=sys.stderr, flush=True)
        for one in runs:
            what = f"{number}: {' '.join(one['line'])}"
            slowest, largest = max(slowest, (one["seconds"], what)), max(largest, (one["memory"], what))
            by_command[one["line"][0]] += 1
        if wrong:
            n_wrong += 1
            print(f"--- {number}, kept as {keep(number, options)}", *wrong, sep="\n", flush=True)
    print(f"{n_captures} mutated captures, {n_runs} runs, {build()}; {n_wrong} with something wrong")
    print(f"slowest {slowest[0]:.2f} s, {slowest[1]}; largest {largest[0] / 1e6:.0f} MB, {largest[1]}")
    print(", ".join(f"{command} {n}" for command, n in sorted(by_command.items())))
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
