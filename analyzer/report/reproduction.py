"""Makes a bundle again from its inputs, and says what differs.

The command stands in the manifest, and a stranger may have written it. So it is read with the parser of the command line, it
has to be `report`, and every option that writes a file or signs is left out. Each input has to have the hash that the manifest
gives before anything reads it. The paths of inputs are part of a report; inputs with a relative path are therefore put, as
links, at the same path of an empty folder, and the command runs there. An input with an absolute path can only be read there.
Python looks for no module in that folder: an input may be called `csv.py`.
"""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import analyzer
from analyzer.report.action_log import NAME as ACTIONS
from analyzer.report.bundle import MANIFEST, PDF
from analyzer.report.bundle_folder import BundleFolder, FolderError
from analyzer.report.differences import LARGEST, differences, value_differences
from analyzer.report.verification import FAILS, HOLDS, UNPROVED, Check, Read, read_manifest

MOST_WORDS = 10_000
"""Words of a command, at most."""

_REPORT = re.compile(r"report\.[a-z0-9.]+")
_OUTPUTS = frozenset({"-o", "--output", "--bundle", "--sign", "--sign-password-file", "--font-path", "--color", "-j", "--jobs"})
_FLAGS = frozenset({"--force"})
_PIPE = "-"

COMMAND = "report"
"""The command that a manifest can name. Only options of the whole program stand before it."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the inputs are now. moved: the path now by the path in the manifest. folders: where to look for their names."""

    moved: Mapping[str, str]
    folders: Sequence[str]


def content_words(words: Sequence[str]) -> list[str]:
    """Return the words of a command line without those that only say where results go, how they are signed, or how fast.

    The rest decides every byte of a report, so it is what a report names as its command.
    """
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        name = word.partition("=")[0]
        if word in _OUTPUTS:
            next(rest, None)
        elif word not in _FLAGS and not (name in _OUTPUTS and "=" in word) and not re.match(r"-[oj].", word):
            kept.append(word)
    return kept


def reproduce(folder: BundleFolder, read: Read, words: Sequence[str], paths: Sequence[str], inputs: Inputs) -> Iterator[Check]:
    """Make a bundle again, and yield what was found.

    words: the command of the manifest, checked by the parser of the command line. paths: the files that it reads.
    Raises OSError if there is no room to work.
    """
    places = {path: _place(path, inputs) for path in paths}
    for path, place in places.items():
        if not os.path.isfile(place) and not os.path.isdir(place):
            yield Check("input", path, FAILS, f"{place}: it is missing, or neither a file nor a folder")
            return
    for check, path, place in _find_inputs(read, inputs):
        yield check
        if check.result != HOLDS:
            return
        places[path] = place
    with tempfile.TemporaryDirectory(prefix="reproduce-") as work:
        here = _stage(work, places)
        target = os.path.join(work, "bundle")
        forms = sorted(one.name for one in read.files if _REPORT.fullmatch(one.name))
        targets = [word for name in forms for word in ("-o", os.path.join(work, name))]
        elsewhere = {path: place for path, place in places.items() if os.path.isabs(path) and path != place}
        kept = [elsewhere.get(word, word) for word in content_words(words)]
        at = kept.index(COMMAND) + 1
        again = [*kept[:at], *targets, "--bundle", target, *kept[at:]]  # outputs stand before a `--`
        command = [sys.executable, "-P", "-m", "analyzer", *again]
        done = subprocess.run(command, cwd=here, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if not os.path.isdir(target):
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
            yield Check("reproduce", None, FAILS, f"the analysis ended with status {done.returncode}: {said[0][:300]}")
            return
        with BundleFolder(target) as made:
            yield from _compare(folder, read, made, elsewhere)


def _find_inputs(read: Read, inputs: Inputs) -> Iterator[tuple[Check, str, str]]:
    """Yield for each input a check of its hash, its path in the manifest, and where it is now."""
    listed = read.value.get("inputs")
    for one in listed if isinstance(listed, list) else ():
        path = one.get("path") if isinstance(one, dict) else None
        digest = one.get("sha256") if isinstance(one, dict) else None
        if not isinstance(path, str) or not path or "\0" in path or path == _PIPE:
            yield Check("input", None, UNPROVED, "an input was no file, so the analysis cannot be made again"), "", ""
            return
        place = _place(path, inputs)
        found = _sha256(place)
        if found == digest and digest is not None:
            yield Check("input", path, HOLDS, "its SHA-256 is that of the manifest"), path, place
        else:
            why = (
                "it is missing, or no regular file" if found is None else "it is not the file of the manifest: another SHA-256"
            )
            yield Check("input", path, FAILS, f"{place}: {why}"), path, place


def _place(path: str, inputs: Inputs) -> str:
    for old, new in inputs.moved.items():
        if path == old or path.startswith(old.rstrip("/") + "/"):  # the folder of an incident moves with what is in it
            return os.path.abspath(new + path[len(old) :])
    for folder in inputs.folders:
        for candidate in (os.path.join(folder, path.lstrip("/")), os.path.join(folder, os.path.basename(path))):
            if os.path.exists(candidate):
                return os.path.abspath(candidate)
    return os.path.abspath(path)


def _sha256(path: str) -> str | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _stage(work: str, places: Mapping[str, str]) -> str:
    """Put links to the inputs at their relative paths, and return the folder from which these paths lead to them.

    A path through a link leads into the folder of an incident, where nothing is made.
    """
    relative = [path for path in places if not os.path.isabs(path)]
    depth = max((path.count("..") for path in relative), default=0)
    work = os.path.realpath(work)
    here = os.path.join(work, "inputs", *(f"d{number}" for number in range(depth)))
    os.makedirs(here)
    for path in relative:
        link = os.path.normpath(os.path.join(here, path))
        inside = [
            folder
            for folder in (os.path.dirname(link), os.path.join(here, os.path.dirname(path)))
            if os.path.commonpath((work, os.path.realpath(folder))) == work
        ]
        for folder in inside:
            os.makedirs(folder, exist_ok=True)
        if os.path.dirname(link) in inside and not os.path.lexists(link):
            os.symlink(places[path], link)
    return here


def _environment() -> dict[str, str]:
    """Return the environment of the run: the same package, and nothing that colours or keys the output."""
    package = str(Path(analyzer.__file__).resolve().parents[1])
    paths = [package, *map(os.path.abspath, filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))]
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "SSLKEYLOGFILE")}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def _compare(folder: BundleFolder, read: Read, again: BundleFolder, elsewhere: Mapping[str, str]) -> Iterator[Check]:
    """Compare the bundles. elsewhere: places of inputs whose absolute path is another one now, by the path in the bundle."""
    new = read_manifest(again)
    yield _check_manifest(read, new, elsewhere)
    names = {one.name: one.sha256 for one in new.files}
    signed = read.value.get("signature") is not None
    media = {entry["name"]: entry.get("media_type") for entry in read.value["files"] if isinstance(entry, dict)}
    for one in read.files:
        if one.name == ACTIONS:
            continue  # what it tells of the files differs with them; the rest stands in the manifest
        digest = names.pop(one.name, None)
        if digest is None:
            yield Check("reproduce", one.name, FAILS, "the analysis does not write this file now")
        elif digest == one.sha256:
            yield Check("reproduce", one.name, HOLDS, "the same bytes again")
        else:
            yield _check_file(folder, again, one.name, media.get(one.name) == PDF, signed, elsewhere)
    for name in names:
        if name != ACTIONS:
            yield Check("reproduce", name, FAILS, "the analysis writes this file now, and it is not in the bundle")


def _check_manifest(read: Read, new: Read, elsewhere: Mapping[str, str]) -> Check:
    """Compare what the manifests say of the work, without hashes of files, which are compared one by one."""
    own = ("files", "actions", "signature")
    value = json.loads(_renamed(new.content, elsewhere))
    old_value, new_value = ({key: one[key] for key in one if key not in own} for one in (read.value, value))
    places = value_differences(old_value, new_value)
    if places:
        return Check("reproduce", MANIFEST, FAILS, f"differs: {'; '.join(places)}")
    return Check("reproduce", MANIFEST, HOLDS, "tool, command, options, inputs and trust stores are the same")


def _check_file(
    folder: BundleFolder, again: BundleFolder, name: str, is_pdf: bool, signed: bool, elsewhere: Mapping[str, str]
) -> Check:
    try:
        old, new = folder.read(name, 2 * LARGEST), again.read(name, 2 * LARGEST)
    except FolderError as error:
        return Check("reproduce", name, FAILS, f"differs, and cannot be looked into: {error}")
    if is_pdf and signed and old.startswith(new):
        return Check("reproduce", name, HOLDS, "the same bytes again, up to the signature behind them")
    if is_pdf and elsewhere:
        return Check("reproduce", name, UNPROVED, "it names the path of an input, which is another one now: not compared")
    new = _renamed(new, elsewhere)
    if new == old:
        return Check("reproduce", name, HOLDS, "the same bytes again, except for the path of an input")
    return Check("reproduce", name, FAILS, f"differs: {'; '.join(differences(name, old, new))}")


def _renamed(content: bytes, elsewhere: Mapping[str, str]) -> bytes:
    """Put the paths of the bundle in the place of those of now."""
    for path, place in elsewhere.items():
        content = content.replace(_in_json(place), _in_json(path))
    return content


def _in_json(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode("ascii")
