"""What every command prints for many captures, kept by one version and compared with another.

    python tests/outputs.py keep FOLDER [CAPTURES...]        with the version to hold on to
    python tests/outputs.py compare FOLDER [CAPTURES...]     with the version under test

Of each capture all commands run with and without its keys, inside one process, and what they print, their status and the hashes
of the files that they write are kept under FOLDER. CAPTURES are folders or files; the default is `captures/` and the corpus.
A change of the structure must not change a byte; where it should, this says what changed. `-j N` shares the captures.
"""

import argparse
import contextlib
import gzip
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENDINGS = {".pcap", ".pcapng", ".cap", ".trace", ".dump", ".gz", ".pkt"}

MAX_SESSIONS = 12
"""Sessions of a capture that `show` and `follow` print."""

FORMS = ("html", "pdf", "md", "json", "case", "stix")
"""The forms of a report."""

OTHER = str(ROOT / "captures" / "demo.pcapng")
"""The capture with which all are compared."""

MAX_PACKETS = 40
"""Frames of a capture that `packet` prints, spread over all."""


def captures_in(places: list[str]) -> list[Path]:
    """The capture files in folders, and files as they are."""
    found = []
    for place in map(Path, places):
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        found += [file for file in files if file.is_file() and (file.suffix in ENDINGS or not place.is_dir())]
    return found


def keys_of(capture: Path, corpus: Path) -> list[str]:
    """The options that give a capture's keys; empty without any."""
    beside = capture.with_suffix(".keys")
    if beside.is_file():
        return ["-k", str(beside)]
    meta = corpus / "expected" / "meta.json"
    if meta.is_file() and corpus in capture.parents:
        keylog = json.loads(meta.read_text()).get(str(capture.relative_to(corpus)), {}).get("keylog")
        if keylog:
            return ["-k", str(corpus / keylog)]
    return []


def commands(capture: str, keys: list[str], n_sessions: int, n_frames: int, scratch: str) -> Iterator[list[str]]:
    """All command lines for a capture."""
    for with_keys in [[], keys] if keys else [[]]:
        for form in ("text", "json", "csv"):
            yield ["sessions", capture, "--format", form, *with_keys]
            yield ["packets", capture, "--format", form, *with_keys]
            yield ["http", capture, "--format", form, *with_keys]
            yield ["certificates", capture, "--format", form, *with_keys]
            yield ["inventory", capture, "--format", form, *with_keys]
            yield ["compare", capture, OTHER, "--format", form, *with_keys]
        yield ["sessions", capture, "--format", "json", "--messages", *with_keys]
        yield ["summary", capture, *with_keys]
        yield ["summary", capture, "--format", "json", *with_keys]
        yield ["inventory", capture, "--format", "cbom", *with_keys]
        for what, form in (("tls", "text"), ("http", "json"), ("conversations", "csv"), ("io", "svg")):
            yield ["stats", capture, what, "--format", form, *with_keys]
        yield ["keys", capture, *with_keys]
        yield ["keys", capture, "--format", "json", *with_keys]
        yield ["export", capture, "-o", f"{scratch}/folder", "--what", "objects,certificates,streams", *with_keys]
        yield ["export", capture, "-o", f"{scratch}/keyed.pcapng", *with_keys]
        yield ["export", capture, "--plaintext", f"{scratch}/plain.pcapng", *with_keys]
        yield ["export", capture, "--har", f"{scratch}/web.har", *with_keys]
        for form in FORMS:
            yield ["report", capture, "-o", f"{scratch}/report", "--force", "--format", form, *with_keys]
        for number in range(min(n_sessions, MAX_SESSIONS)):
            yield ["show", capture, str(number), *with_keys]
            yield ["show", capture, str(number), "--format", "json", *with_keys]
            yield ["follow", capture, str(number), *with_keys]
            yield ["follow", capture, str(number), "--format", "json", *with_keys]
        for frame in sorted({1 + number * n_frames // MAX_PACKETS for number in range(MAX_PACKETS)} if n_frames else ()):
            yield ["packet", capture, str(frame), *with_keys]


def run(arguments: list[str], scratch: Path) -> bytes:
    """Status, standard output, standard error and written files of one command line."""
    from analyzer.cli.main import main

    for old in ("folder", "keyed.pcapng", "plain.pcapng", "web.har", "report"):
        shutil.rmtree(scratch / old, ignore_errors=True)
        (scratch / old).unlink(missing_ok=True)
    out, err = scratch / "out", scratch / "err"
    with out.open("wb") as output, err.open("wb") as errors, redirected(output.fileno(), errors.fileno()):
        try:
            status: int | str = main(arguments)
        except SystemExit as end:
            status = str(end.code)
    files = sorted(path for old in ("folder", "keyed.pcapng", "plain.pcapng") for path in scratch.glob(f"{old}*/**/*"))
    files += [
        path for path in [scratch / one for one in ("keyed.pcapng", "plain.pcapng", "web.har", "report")] if path.is_file()
    ]
    written = "".join(
        f"{path.relative_to(scratch)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files if path.is_file()
    )
    told = err.read_bytes().replace(str(scratch).encode(), b"SCRATCH")
    printed = out.read_bytes().replace(str(scratch).encode(), b"SCRATCH")
    return b"status %b\n%b---\n%b---\n%b" % (str(status).encode(), printed, told, written.encode())


@contextlib.contextmanager
def redirected(output: int, errors: int) -> Iterator[None]:
    """Let standard output and error of this process go elsewhere."""
    saved = os.dup(1), os.dup(2)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(output, 1)
    os.dup2(errors, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        os.close(saved[0])
        os.close(saved[1])


def outputs(capture: Path, corpus: Path) -> dict[str, str]:
    """What all commands print of a capture, by command line."""
    keys = keys_of(capture, corpus)
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        n_sessions = run(["sessions", str(capture), "--format", "json"], scratch).count(b'{"id":')
        n_frames = run(["packets", str(capture), "--format", "json"], scratch).count(b'{"number":')
        for arguments in commands(str(capture), keys, n_sessions, n_frames, folder):
            name = " ".join(arguments).replace(folder, "SCRATCH")
            found[name] = run(arguments, scratch).decode("utf-8", "backslashreplace")
    return found


def work(task: tuple[str, Path, Path, Path, Path]) -> list[str]:
    """Keep or compare one capture; what differs."""
    mode, capture, corpus, folder, current = task
    os.environ.pop("COLUMNS", None)
    found = outputs(capture, corpus)
    name = str(capture).strip("/").replace("/", "__") + ".json.gz"
    place = (folder if mode == "keep" else current) / name
    with gzip.open(place, "wt", compresslevel=1) as file:
        json.dump(found, file)
    if mode == "keep":
        return []
    with gzip.open(folder / name, "rt") as file:
        kept = json.load(file)
    differing = [
        f"{line}: {first_difference(kept.get(line), found.get(line))}" for line in kept if kept[line] != found.get(line)
    ]
    return differing + [f"{line}: is new" for line in found if line not in kept]


def first_difference(old: str | None, new: str | None) -> str:
    """The first line that differs, both as it was and as it is."""
    if old is None or new is None:
        return "is there no more" if new is None else "is new"
    before, after = old.splitlines(), new.splitlines()
    for number, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
            start = max(0, at - 60)
            return f"line {number + 1}\n    - {one[start : at + 100]}\n    + {other[start : at + 100]}"
    return f"{len(before)} lines, now {len(after)}"


def main() -> int:
    """Keep or compare; status 1 where something differs."""
    parser = argparse.ArgumentParser(prog="python tests/outputs.py", description="Keep what every command prints, or compare.")
    parser.add_argument("mode", choices=("keep", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("captures", nargs="*")
    parser.add_argument("-j", type=int, default=os.cpu_count())
    options = parser.parse_args()
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() not in (ROOT, ROOT / "tests")]
    corpus = Path(os.environ.get("ANALYZER_CORPUS", ROOT.parent / "shared" / "corpus"))
    captures = captures_in(options.captures or [str(ROOT / "captures"), str(corpus)])
    current = options.folder / "current"
    current.mkdir(parents=True, exist_ok=True)
    n_differing = 0
    tasks = [(options.mode, capture, corpus, options.folder, current) for capture in captures]
    with Pool(options.j, maxtasksperchild=20) as pool:
        for differing in pool.imap_unordered(work, tasks):
            n_differing += len(differing)
            for line in differing:
                print(line, flush=True)
    print(f"{len(captures)} captures, {n_differing} outputs differ")
    return 1 if n_differing else 0


if __name__ == "__main__":
    sys.exit(main())
