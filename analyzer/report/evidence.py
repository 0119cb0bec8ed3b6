"""The evidence of a report: which files were read, their digests before and after the analysis, and what they say of
themselves.

A digest names the bytes that were examined: who has a file with the same SHA-256 (FIPS 180-4) can check every statement of the
report. The first digest is of the very bytes that the analysis read. The second one is taken when the analysis has ended: if
both are the same, the file was not changed meanwhile. Inputs are opened for reading only (O_RDONLY of open(2)), and for those
that own the file, or are root, on Linux, also without a change of its access time (O_NOATIME); what the system grants is in
the facts.

Key logs, private keys and pre-shared keys appear by path, size and SHA-256. No byte of their contents is in the facts.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.capture.capture_reader import FileFacts
from analyzer.capture.source import STANDARD_INPUT, open_read_only
from analyzer.store.capture_record import COMMENT_LENGTH, LARGEST, LISTED, capture_record
from analyzer.store.declaration import path_text
from analyzer.x509.trust import Trust

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Rehash:
    """One file, read again. size: bytes read. sha256: in hex. keeps_access_time: whether it was opened so that its access time
    stays. error: name of the system's error (errno(3)) if it could not be read; then the others are None.
    """

    size: int | None
    sha256: str | None
    keeps_access_time: bool | None
    error: str | None = None


def hash_again(path: str) -> Rehash:
    """Read a regular file from its beginning to its end, and return its size and SHA-256.

    What is no regular file, such as standard input or a pipe, is not opened: its bytes came once. Its values are None.
    """
    try:
        if path == STANDARD_INPUT or not stat.S_ISREG(os.stat(path).st_mode):
            return Rehash(None, None, None)
        descriptor, quiet = open_read_only(path)
        try:
            digest, size = hashlib.sha256(), 0
            while data := os.read(descriptor, _CHUNK):
                digest.update(data)
                size += len(data)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else None
        return Rehash(None, None, None, errno.errorcode.get(number or 0, "EINVAL"))
    return Rehash(size, digest.hexdigest(), quiet)


def evidence_facts(
    files: Sequence[FileFacts],
    *,
    key_logs: Sequence[str] = (),
    private_keys: Sequence[str] = (),
    psk_files: Sequence[str] = (),
    certificates: Sequence[str] = (),
    case_files: Sequence[str] = (),
    trust: Trust | None = None,
) -> dict[str, Any]:
    """Return the entry `evidence` of the facts of a report. Call it when the analysis has ended: it reads the files again.

    files: `CaptureRun.reader.files`. key_logs, private_keys, psk_files, certificates (intermediates,
    revocation lists, logs), case_files: paths as the options name them. trust: the stores that
    were used (`Chains.trust`), None if no chain was validated. Raises `Unreadable` for a trust store that has vanished.
    """
    return {
        "inputs": [input_facts(facts, hash_again(facts.path)) for facts in files],
        "key_logs": [secret_file_facts(path) for path in dict.fromkeys(key_logs)],
        "private_keys": [secret_file_facts(path) for path in dict.fromkeys(private_keys)],
        "psk_files": [secret_file_facts(path) for path in dict.fromkeys(psk_files)],
        "certificates": [secret_file_facts(path) for path in dict.fromkeys(certificates)],
        "case_files": [secret_file_facts(path) for path in dict.fromkeys(case_files)],
        "trust": [] if trust is None else trust_facts(trust),
    }


def input_facts(facts: FileFacts, again: Rehash) -> dict[str, Any]:
    """Return one entry of `inputs`: the capture's record, and what a report says of it besides.

    unchanged: whether size and SHA-256 after the analysis are those of the bytes that were read; None where that is not known,
    as for a pipe; False for a file that is gone. access_time_kept: whether the system let the file be read without a change of
    its access time; None if it is not known.
    """
    dropped = [n for one in facts.statistics for n in (one.dropped_by_interface, one.dropped_by_system) if n is not None]
    received = [one.received for one in facts.statistics if one.received is not None]
    unchanged: bool | None = None
    if facts.sha256 is not None and (again.sha256 is not None or again.error is not None):
        unchanged = (again.size, again.sha256) == (facts.size, facts.sha256)
    return {
        **capture_record(facts),
        "sha512": facts.digests.get("sha512"),
        "blake2b": facts.digests.get("blake2b"),
        "sha256_after": again.sha256,
        "size_after": again.size,
        "error_after": again.error,
        "unchanged": unchanged,
        "opened": "read_only",
        "access_time_kept": again.keeps_access_time,
        "sections": [
            {"hardware": _text(one.hardware), "os": _text(one.os), "application": _text(one.application)}
            for one in facts.sections[:LISTED]
        ],
        "n_sections": len(facts.sections),
        "resolution": list(dict.fromkeys(one.resolution for one in facts.interfaces))[:LISTED],
        "received": min(sum(received), LARGEST) if received else None,
        "dropped": min(sum(dropped), LARGEST) if dropped else None,
    }


def secret_file_facts(path: str) -> dict[str, Any]:
    """Return path, size and SHA-256 of a file with secrets; None for size and hash of what can be read only once."""
    again = hash_again(path)
    return {"path": path_text(path), "size": again.size, "sha256": again.sha256}


def trust_facts(trust: Trust) -> list[dict[str, Any]]:
    """Return the trust stores: name, origin, day of their content, number of roots, and SHA-256 of the file."""
    return [
        {
            "store": path_text(store.name),
            "source": path_text(store.source),
            "date": store.date,
            "sha256": hash_again(store.path).sha256,
            "certificates": len(store.roots),
        }
        for store in trust.stores
    ]


def _text(text: str | None) -> str | None:
    return None if text is None else text[:COMMENT_LENGTH]
