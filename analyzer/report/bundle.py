"""Writes a bundle: a folder with a report, what belongs to it, the log of what was done, and a manifest of all hashes.

The manifest vouches for everything else: it has the SHA-256 of every file and of every input, and the end of the chain of the
log. Beside it stand its signature (`signing`), a time-stamp token (`sealing`), and `manifest.sha256` in the form of sha256sum,
which shows accidents also where nothing is signed. The folder appears whole or not at all.

Nothing in it depends on a clock, a host or a user, so the same inputs and options give the same bytes. This is so for a
signature too, except for ECDSA where the library has no deterministic form (RFC 6979).
"""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from analyzer.report.action_log import NAME as ACTIONS
from analyzer.report.action_log import Action, ActionLog, canonical
from analyzer.report.signing import SIGNATURES, Signer, signing_time
from analyzer.store.folder import PRIVATE_FILE, PRIVATE_FOLDER

MANIFEST, CHECKSUMS = "manifest.json", "manifest.sha256"

TOKEN = "manifest.tsr"  # noqa: S105 - the name of a file

FORMAT, VERSION = "analyzer bundle", 1
"""What a manifest says of itself."""

PDF = "application/pdf"

FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,126}")
"""Names of the files of a bundle. They are ours, and never from a capture."""

RESERVED = frozenset({MANIFEST, CHECKSUMS, ACTIONS, *SIGNATURES.values(), TOKEN})
"""Names that only the bundle itself uses."""

STATEMENT = (
    "Every input was opened for reading only. Written were this folder, the files that the command line names for output, and "
    "temporary files, which were removed. No connection to a network was made."
)

_CHUNK = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_ROLES = {
    "inputs": "capture",
    "key_logs": "key_log",
    "private_keys": "private_key",
    "psk_files": "psk_file",
    "certificates": "certificates",
    "case_files": "case",
}
"""The lists of `facts["evidence"]` that are files, and what the manifest calls them."""


class BundleFile(NamedTuple):
    """A file of a bundle. content: its bytes, or the path of a file that is copied. media_type: for example `text/html`."""

    name: str
    content: bytes | str
    media_type: str


class Written(NamedTuple):
    """What was written. names: of all files. manifest_sha256: SHA-256 of the manifest, in hex."""

    names: Sequence[str]
    manifest_sha256: str


def write_bundle(
    folder: str,
    facts: Mapping[str, Any],
    files: Iterable[BundleFile],
    *,
    signer: Signer | None = None,
    actions: Sequence[Action] = (),
) -> Written:
    """Write a bundle into a folder that does not exist or is empty.

    facts: those of the report; the manifest has their tool, command, options, time of issue, inputs and trust stores. signer:
    signs the manifest, and PDF files where it has a certificate. actions: what else was done, for the log. Raises OSError,
    FileExistsError if the folder is not empty; SigningError; ValueError for names of files that are not ours.
    """
    refuse_occupied(folder)
    target = os.path.abspath(folder)
    part = os.path.join(os.path.dirname(target), f".{secrets.token_hex(8)}.part")
    os.mkdir(part, PRIVATE_FOLDER)
    try:
        written = _fill(part, facts, sorted(files, key=lambda one: one.name), signer, actions)
        os.rename(part, target)  # replaces an empty folder; another one that came meanwhile makes it fail
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return written


def refuse_occupied(folder: str) -> None:
    """Raise FileExistsError for a folder that is not empty, and for what is no folder."""
    target = os.path.abspath(folder)
    if os.path.islink(target) or (os.path.lexists(target) and not os.path.isdir(target)):
        raise FileExistsError(17, "not a folder", folder)
    if os.path.isdir(target) and os.listdir(target):
        raise FileExistsError(17, "the folder is not empty", folder)


def checksums(hashes: Mapping[str, str]) -> bytes:
    """Return the content of `manifest.sha256` for the manifest and what stands beside it: SHA-256 in hex by name."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode("ascii")


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """Return the one form in which a manifest is written, so that a changed byte cannot mean the same."""
    return json.dumps(manifest, ensure_ascii=True, sort_keys=True, indent=2, allow_nan=False).encode("ascii") + b"\n"


def inputs_of(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the files that were read for a report: role, path, size and hashes of each. Contents are never in it."""
    evidence = facts.get("evidence", {})
    return [
        {
            "role": role,
            "path": one.get("path"),
            "size": one.get("size"),
            "sha256": one.get("sha256"),
            "sha256_after": one.get("sha256_after"),
            "unchanged": one.get("unchanged"),
        }
        for key, role in _ROLES.items()
        for one in evidence.get(key, ())
    ]


def _fill(
    part: str, facts: Mapping[str, Any], files: Sequence[BundleFile], signer: Signer | None, actions: Sequence[Action]
) -> Written:
    names = [one.name for one in files]
    for name in names:
        if FILE_NAME.fullmatch(name) is None or name in RESERVED or names.count(name) > 1:
            raise ValueError(f"{name!r} is no name for a file of a bundle")
    at = signing_time(facts.get("issued_at"))
    log = ActionLog()
    for action in (*_actions_of(facts), *actions):
        log.add(action)
    entries, signed = [], [MANIFEST]
    for one in files:
        content = one.content
        if one.media_type == PDF and signer is not None and signer.certificate_sha256 is not None:
            content = signer.sign_pdf(_content(content), at)
            signed.append(one.name)
            log.add(Action("sign", {"name": one.name, **signer.named()}, hashlib.sha256(content).hexdigest()))
        size, digest = _write(os.path.join(part, one.name), content)
        entries.append({"name": one.name, "media_type": one.media_type, "size": size, "sha256": digest})
        log.add(Action("write", {"name": one.name, "media_type": one.media_type, "size": size}, digest))
    signature = None if signer is None else {**signer.named(), "file": signer.file, "signs": signed}
    log.add(Action("close", {"manifest": MANIFEST, "signature": signature}))
    size, digest = _write(os.path.join(part, ACTIONS), log.content())
    entries.append({"name": ACTIONS, "media_type": "application/jsonl", "size": size, "sha256": digest})
    manifest = manifest_bytes(
        {
            "format": FORMAT,
            "version": VERSION,
            "tool": facts.get("tool"),
            "command": facts.get("command"),
            "options": facts.get("options"),
            "issued_at": facts.get("issued_at"),
            "inputs": inputs_of(facts),
            "trust": facts.get("evidence", {}).get("trust", []),
            "touched": {"opened": "read_only", "network": "none", "statement": STATEMENT},
            "files": sorted(entries, key=lambda entry: str(entry["name"])),
            "actions": {"file": ACTIONS, "count": len(log.lines), "head": log.head},
            "signature": signature,
        }
    )
    hashes = {MANIFEST: _write(os.path.join(part, MANIFEST), manifest)[1]}
    if signer is not None:
        hashes[signer.file] = _write(os.path.join(part, signer.file), signer.sign(manifest, at))[1]
    _write(os.path.join(part, CHECKSUMS), checksums(hashes))
    return Written([*names, ACTIONS, *hashes, CHECKSUMS], hashes[MANIFEST])


def _actions_of(facts: Mapping[str, Any]) -> Iterable[Action]:
    """Return what was done before the bundle was written, as the facts tell it."""
    keys = ("tool", "command", "issued_at")
    yield Action("begin", {key: facts.get(key) for key in keys})
    inputs = inputs_of(facts)
    for one in inputs:
        what = {key: one[key] for key in ("role", "path", "size")}
        yield Action("read", {**what, "opened": "read_only"}, one["sha256"])
    for store in facts.get("evidence", {}).get("trust", ()):
        yield Action("trust", {key: value for key, value in store.items() if key != "sha256"}, store.get("sha256"))
    yield Action("analyse", {"options": facts.get("options")}, hashlib.sha256(canonical(facts)).hexdigest())
    for one in inputs:
        if one["sha256_after"] is not None:
            what = {key: one[key] for key in ("role", "path", "unchanged")}
            yield Action("read_again", {**what, "opened": "read_only"}, one["sha256_after"])


def _content(content: bytes | str) -> bytes:
    if isinstance(content, bytes):
        return content
    with open(content, "rb") as file:
        return file.read()


def _write(path: str, content: bytes | str) -> tuple[int, str]:
    """Write a new file. Return its size and its SHA-256 in hex."""
    digest = hashlib.sha256()
    size = 0
    with open(os.open(path, _NEW, PRIVATE_FILE), "wb") as file:
        for chunk in (content,) if isinstance(content, bytes) else _chunks(content):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # else a file system that cannot promise it
                raise
    return size, digest.hexdigest()


def _chunks(path: str) -> Iterable[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
