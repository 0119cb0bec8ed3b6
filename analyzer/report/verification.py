"""Checks a bundle, an incident of `live`, or a folder of `export` against its manifest, and says what was proved by that.

A line of the result never says more than its check shows. That the hashes are those of the manifest shows nothing about who
wrote the manifest; a signature shows that a key signed it; that this key is somebody's, only the user can know. See `Check`.

Bundles are hostile input: see `bundle_folder` for files, and the limits here for what is in them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.report.action_log import NAME as ACTIONS
from analyzer.report.action_log import ChainError, read_chain
from analyzer.report.bundle import CHECKSUMS, FORMAT, MANIFEST, TOKEN, VERSION, manifest_bytes
from analyzer.report.bundle_folder import BundleFolder, FolderError, is_inside, is_plain
from analyzer.report.signing import SIGNATURES
from analyzer.store.manifest import END, FILES, SESSIONS

HOLDS, FAILS, UNPROVED, UNCHECKED = "holds", "fails", "unproved", "unchecked"
"""Results of a check: it holds; it does not; nothing in the folder could show it; something could, and was not looked at."""

BUNDLE, INCIDENT, EXPORT = "bundle", "incident", "export"
"""Kinds of folders."""

LARGEST_MANIFEST = 1 << 22
"""Bytes of a manifest, at most; that of an export has one line for each file, and is read line by line."""

LARGEST_LOG = 1 << 26
"""Bytes of a log of actions, at most."""

_LARGEST_EXPORT = 1 << 29
_LONGEST_LINE = 1 << 20
_LONGEST_NAME = 1000
_HEAD = 256
_EXPORT_HEAD = re.compile(rb'\{"format": "analyzer export", "version": 1, ')
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHECKSUM = re.compile(r"([0-9a-f]{64})  (manifest\.(?:json|sig|p7s|tsr))")

_BESIDE = (CHECKSUMS, *SIGNATURES.values(), TOKEN)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the result. code: what kind of check. file: the name of what was checked; None for the folder as a whole.

    result: `holds`, `fails`, `unproved` or `unchecked`. detail: what was found, as a sentence, with text of the bundle in it.
    """

    code: str
    file: str | None
    result: str
    detail: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a manifest lists it."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Read:
    """A manifest that was read. kind: of the folder. content: its bytes (not those of an export). value: its JSON value."""

    kind: str
    content: bytes
    value: Mapping[str, Any]
    files: Sequence[Listed]


class BundleError(Exception):
    """The folder has no manifest that can be read, so nothing can be checked. The text says why, in one line."""


def verify_files(folder: BundleFolder) -> tuple[Read, list[Check]]:
    """Check the manifest, the files it lists, which files there are, and the chain of the log. Raises BundleError."""
    read = read_manifest(folder)
    checks = list(_manifest_checks(folder, read))
    checks += _file_checks(folder, read)
    checks += _strays(folder, read)
    if read.kind == BUNDLE:
        checks += _chain_checks(folder, read)
    return read, checks


def all_hold(checks: Iterable[Check]) -> bool:
    """Return whether everything that the folder has holds. What nothing could show does not count."""
    return all(check.result in (HOLDS, UNPROVED) for check in checks)


def read_manifest(folder: BundleFolder) -> Read:
    """Read the manifest of a folder. Raises BundleError."""
    if MANIFEST not in folder.names:
        raise BundleError("no manifest.json is in it")
    try:
        if _EXPORT_HEAD.match(folder.read_head(MANIFEST, _HEAD)) is not None:
            value, entries = read_export(folder.read(MANIFEST, _LARGEST_EXPORT))
            folder.descend()
            return Read(EXPORT, b"", value, entries)
        content = folder.read(MANIFEST, LARGEST_MANIFEST)
        value = json.loads(content)
    except FolderError as error:
        raise BundleError(f"manifest.json cannot be read: {error}") from error
    except OSError as error:
        raise BundleError(f"the folder cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BundleError("manifest.json is no JSON") from error
    if not isinstance(value, dict):
        raise BundleError("manifest.json is not a manifest")
    if value.get("format") == FORMAT:
        if value.get("version") != VERSION:
            raise BundleError("the bundle is of another version of this form")
        return Read(BUNDLE, content, value, _listed(value))
    if {"time", "findings", "packets", "secrets", "files"} <= value.keys():
        return Read(INCIDENT, content, value, _listed(value))
    raise BundleError("manifest.json is neither that of a report, nor of an incident, nor of an export")


def read_checksums(content: bytes) -> dict[str, str]:
    """Read `manifest.sha256`, and return SHA-256 by name. Raises FolderError if it is not in its form."""
    hashes: dict[str, str] = {}
    for line in content.decode("ascii", "replace").split("\n")[:-1]:
        match = _CHECKSUM.fullmatch(line)
        if match is None or (hashes and match[2] <= max(hashes)):
            raise FolderError("it is not in its form")
        hashes[match[2]] = match[1]
    if not content.endswith(b"\n") or MANIFEST not in hashes:
        raise FolderError("it is not in its form")
    return hashes


def _listed(value: Mapping[str, Any]) -> list[Listed]:
    entries = value.get("files")
    if not isinstance(entries, list):
        raise BundleError("manifest.json lists no files")
    return [_entry(entry, "name") for entry in entries]


def read_export(content: bytes) -> tuple[dict[str, Any], list[Listed]]:
    """Read the manifest of an export, line by line: what is about the whole, and the files. Raises BundleError."""
    lines = content.split(b"\n")
    if not lines[0].endswith(SESSIONS) or lines[-2:] != [END, b""] or lines.count(FILES) != 1:
        raise BundleError("manifest.json is not as `export` writes it")
    at = lines.index(FILES)
    if any(len(line) > _LONGEST_LINE for line in lines):
        raise BundleError("manifest.json has a line that is too long")
    value = json.loads(lines[0] + END)
    for line in lines[1:at]:
        json.loads(line.removesuffix(b","))
    return value, [_entry(json.loads(line.removesuffix(b",")), "file") for line in lines[at + 1 : -2]]


def _entry(entry: Any, key: str) -> Listed:
    name, size, digest = map(entry.get, (key, "size", "sha256")) if isinstance(entry, dict) else (None, None, None)
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or type(size) is not int:
        raise BundleError("manifest.json has an entry that is none")
    if not isinstance(digest, str) or _SHA256.fullmatch(digest) is None:
        raise BundleError("manifest.json has an entry without a hash")
    return Listed(name, size, digest)


def _manifest_checks(folder: BundleFolder, read: Read) -> Iterator[Check]:
    names = [one.name for one in read.files]
    belongs = is_inside if read.kind == EXPORT else is_plain
    wrong = {name for name in names if not belongs(name)}
    for name in sorted(wrong):
        yield Check("manifest", MANIFEST, FAILS, f"it names {name}, which is no file of this folder; nothing was read there")
    if len(set(names)) < len(names):
        yield Check("manifest", MANIFEST, FAILS, "it lists a file twice")
    if read.kind == BUNDLE and _rendered(read.value) != read.content:
        yield Check("manifest", MANIFEST, FAILS, "it is not in the form in which this program writes it")
    if read.kind == EXPORT or (read.kind == INCIDENT and CHECKSUMS not in folder.names):
        yield Check("manifest", MANIFEST, UNPROVED, "nothing vouches for the manifest itself: this folder has no hash of it")
        return
    yield from _checksum_checks(folder)


def _rendered(value: Mapping[str, Any]) -> bytes | None:
    try:
        return manifest_bytes(value)
    except (ValueError, RecursionError):
        return None


def _checksum_checks(folder: BundleFolder) -> Iterator[Check]:
    """Check the file with the hashes of the manifest and of what stands beside it."""
    try:
        hashes = read_checksums(folder.read(CHECKSUMS, LARGEST_MANIFEST))
    except FolderError as error:
        yield Check("checksum", CHECKSUMS, FAILS, str(error))
        return
    for name, expected in hashes.items():
        try:
            found = folder.sha256(name)[1]
        except FolderError as error:
            yield Check("checksum", name, FAILS, f"{CHECKSUMS} lists it: {error}")
            continue
        same = found == expected
        detail = f"its SHA-256 is that in {CHECKSUMS}" if same else f"its SHA-256 is not that in {CHECKSUMS}"
        yield Check("checksum", name, HOLDS if same else FAILS, detail)
    for name in _BESIDE[1:]:
        if name in folder.names and name not in hashes:
            yield Check("checksum", name, FAILS, f"{CHECKSUMS} does not list it")


def _file_checks(folder: BundleFolder, read: Read) -> Iterator[Check]:
    for one in read.files:
        if not (is_inside if read.kind == EXPORT else is_plain)(one.name):
            continue
        try:
            size = folder.size(one.name)
            if size != one.size:
                yield Check("file", one.name, FAILS, f"it has {size:,} bytes; the manifest says {one.size:,}")
                continue
            size, digest = folder.sha256(one.name)
        except FolderError as error:
            yield Check("file", one.name, FAILS, str(error))
            continue
        same = digest == one.sha256 and size == one.size
        detail = f"size and SHA-256 are those of the manifest ({size:,} bytes)" if same else (
            f"its SHA-256 is {digest}; the manifest says {one.sha256}"
        )  # fmt: skip
        yield Check("file", one.name, HOLDS if same else FAILS, detail)


def _strays(folder: BundleFolder, read: Read) -> Iterator[Check]:
    known = {one.name for one in read.files} | {MANIFEST}
    if read.kind == BUNDLE:
        known.update(_BESIDE)
    elif read.kind == INCIDENT:
        known.add(CHECKSUMS)
    strays = [name for name in folder.names if name not in known]
    for name in strays:
        yield Check("extra", name, FAILS, f"a {folder.kinds.get(name, 'file')} that the manifest does not list")
    if not strays:
        yield Check("extra", None, HOLDS, "nothing is in the folder that the manifest does not list")


def _chain_checks(folder: BundleFolder, read: Read) -> Iterator[Check]:
    stated = read.value.get("actions")
    if not isinstance(stated, dict) or stated.keys() != {"file", "count", "head"} or stated["file"] != ACTIONS:
        yield Check("chain", ACTIONS, FAILS, "the manifest does not say where the chain of the log ends")
        return
    try:
        entries, head = read_chain(folder.read(ACTIONS, LARGEST_LOG))
    except (FolderError, ChainError) as error:
        yield Check("chain", ACTIONS, FAILS, f"the chain is broken: {error}")
        return
    if head != stated["head"] or len(entries) != stated["count"]:
        yield Check("chain", ACTIONS, FAILS, "the chain does not end where the manifest says")
        return
    written = [(entry["arguments"].get("name"), entry["sha256"]) for entry in entries if entry["action"] == "write"]
    if written != [(one.name, one.sha256) for one in read.files if one.name != ACTIONS]:
        yield Check("chain", ACTIONS, FAILS, "the log does not tell of the same files as the manifest")
        return
    yield Check(
        "chain",
        ACTIONS,
        HOLDS,
        f"{len(entries)} actions, each with the hash of the one before it; the manifest has the last one",
    )
