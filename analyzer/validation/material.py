"""The material of a validation: captures whose contents are known, with their secrets and roots, and vectors out of RFCs.

It is part of the package, so an installed wheel validates itself without a checkout. In the repository, the folder of captures
is a link to `captures/`, where README.md says how they were made, and by which witnesses their contents are known: the two
endpoints, tshark and `openssl verify`, and never the analyzer.
"""

import csv
import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "material")

_ENDINGS = (".pcapng", ".pcap", ".keys", ".ca.pem", ".key.pem", "expected.json")
"""The files of captures that a validation reads."""

_VECTORS = ("rfc8448.txt", "rfc8448_records.txt", "rfc8448_secrets.txt")


class MissingMaterialError(Exception):
    """The installation lacks the material. The text says which file."""


@dataclass(frozen=True, slots=True)
class KnownCapture:
    """A capture whose contents are known. expected: its `expected.json`, in the form that captures/README.md describes.

    keylog: the lines of its secrets; keylog_path: of the file that has them. root: path of the certificate that a client would
    trust. rsa_key: path of the server's private key, None for most.
    """

    name: str
    path: str
    keylog: bytes
    keylog_path: str
    root: str
    rsa_key: str | None
    expected: dict[str, Any]

    @property
    def file_name(self) -> str:
        """The name of its file, as in the results."""
        return os.path.basename(self.path)

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """What is known of each session, in the order of their ids."""
        return sorted(self.expected["sessions"], key=lambda session: int(session["id"]))


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A finding that a session of a capture must have. session: its id."""

    session: int
    finding: str
    severity: str


class Material:
    """The material in a folder. Its attributes and methods raise `MissingMaterialError` for a file that is not there."""

    def __init__(self, folder: str = FOLDER) -> None:
        self._captures = os.path.join(folder, "captures")
        self._vectors = os.path.join(folder, "vectors")

    @cached_property
    def captures(self) -> list[KnownCapture]:
        """The captures, in the order of their names."""
        if not os.path.isdir(self._captures):
            raise MissingMaterialError("the installation has no material to validate with: install the wheel again")
        names = sorted(entry.name for entry in os.scandir(self._captures) if entry.is_dir())
        return [self._capture(name) for name in names if os.path.isfile(self._path(name, "expected.json"))]

    def capture(self, name: str) -> KnownCapture:
        """Return the capture with this name. Raises KeyError."""
        return {one.name: one for one in self.captures}[name]

    @cached_property
    def findings(self) -> dict[str, list[ExpectedFinding]]:
        """The findings that captures must have, by their names: expected_findings.csv, made from the origin of each capture.

        A capture that is not here breaks no rule, and must have nothing above `info`.
        """
        found: dict[str, list[ExpectedFinding]] = {}
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected_findings.csv")
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, strict=True):
                one = ExpectedFinding(int(row["session"]), row["finding"], row["severity"])
                found.setdefault(row["capture"], []).append(one)
        return found

    @cached_property
    def vectors(self) -> dict[tuple[str, str], bytes]:
        """The values of RFC 8448 by section and name."""
        found: dict[tuple[str, str], bytes] = {}
        for name in _VECTORS:
            for block in self._read(os.path.join(self._vectors, name)).decode("ascii").split("\n\n")[1:]:
                section, what, *lines = block.split()
                found[section, what] = bytes.fromhex("".join(lines))
        return found

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each file of the material, in hex, by its path in the folder."""
        found = {}
        for folder in (self._captures, self._vectors):
            for parent, folders, names in os.walk(folder):
                folders[:] = sorted(name for name in folders if name != "__pycache__")
                for name in sorted(names):
                    path = os.path.join(parent, name)
                    if folder == self._vectors or name.endswith(_ENDINGS):
                        short = os.path.join(os.path.basename(folder), os.path.relpath(path, folder))
                        found[short] = hashlib.sha256(self._read(path)).hexdigest()
        return dict(sorted(found.items()))

    def _capture(self, name: str) -> KnownCapture:
        expected: dict[str, Any] = json.loads(self._read(self._path(name, "expected.json")))
        rsa_key = self._path(name, f"{name}.key.pem")
        return KnownCapture(
            name,
            os.path.normpath(self._path(name, expected["capture"])),
            self._read(self._path(name, f"{name}.keys")),
            self._path(name, f"{name}.keys"),
            self._path(name, f"{name}.ca.pem"),
            rsa_key if os.path.isfile(rsa_key) else None,
            expected,
        )

    def _path(self, *parts: str) -> str:
        return os.path.join(self._captures, *parts)

    def _read(self, path: str) -> bytes:
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            name = os.path.basename(path)
            raise MissingMaterialError(f"the material of the validation lacks {name}: {error.strerror}") from error
