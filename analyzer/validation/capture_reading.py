"""Reads captures for a validation, as `analyzer sessions --format json` does: through the same engine, to the same records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.engine import Engine, Listener, run
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_options import read_chains
from analyzer.store.chain_verdicts import Chains
from analyzer.store.declaration import path_text
from analyzer.store.secret_files import add_secrets_of, open_private_keys
from analyzer.store.session_json import session_json
from analyzer.store.shards import Shards
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session


@dataclass(frozen=True, slots=True)
class ReadCapture:
    """What was read. lines: the records as JSON, in the order in which the sessions ended. file: the facts of the file."""

    lines: list[bytes]
    file: FileFacts

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records in the order of their ids."""
        return sorted(map(orjson.loads, self.lines), key=lambda record: int(record["id"]))


class SessionLines(Listener):
    """Keeps the record of each session, and the session itself."""

    def __init__(self, chains: Chains) -> None:
        self.lines: list[bytes] = []
        self.sessions: list[Session] = []
        self._chains = chains

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self.lines.append(session_json(event.ended, False, self._chains))
                self.sessions.append(event.ended)


def read_capture(path: str, keylog: bytes = b"", rsa_key: str | None = None, root: str | None = None) -> ReadCapture:
    """Read a capture in this process. keylog: lines of secrets. rsa_key, root: paths of PEM files. Raises OSError."""
    reader, lines = _read(path, keylog, rsa_key, root)
    return ReadCapture(lines.lines, reader.files[0])


def read_sessions(path: str, keylog: bytes = b"") -> list[Session]:
    """Read a capture, and return its sessions as the engine leaves them, with the bytes of messages. Raises OSError."""
    return _read(path, keylog, None, None, fields=True)[1].sessions


def read_in_two_processes(path: str, keylog: bytes, root: str | None) -> list[bytes]:
    """Return the records of a capture that two processes read together, as lines of JSON. Raises OSError."""

    def describe(session: Session, holes: Any, resumed: bool) -> bytes:
        return session_json(session, False, holes, holes.resumes() if resumed else None, True)

    chains = read_chains([root] if root else [])
    settings = {"fields": False, "watches_revocation": True, "may_grow": None, **_keys(path, keylog, None)}
    shards = Shards(CaptureReader([path]), 2, settings, describe, chains, False, True)
    return [placeless(session.describe(chains), path) for turn in shards.turns() for session in turn]


def placeless(line: bytes, path: str) -> bytes:
    """Return a record without the path of its capture, which is another one where the material lies elsewhere."""
    return line.replace(b'"capture":' + orjson.dumps(path_text(path)), b'"capture":null')


def _read(
    path: str, keylog: bytes, rsa_key: str | None, root: str | None, fields: bool = False
) -> tuple[CaptureReader, SessionLines]:
    chains = read_chains([root] if root else [])
    reader = CaptureReader([path])
    lines = SessionLines(chains)
    run(reader, Engine(fields=fields, watches_revocation=True, **_keys(path, keylog, rsa_key)), [chains, lines])
    return reader, lines


def _keys(path: str, given: bytes, rsa_key: str | None) -> dict[str, Any]:
    """Return the arguments of an engine: the secrets that are given, and those inside the capture."""
    keylog = None
    if given:
        keylog = KeyLog()
        keylog.feed(given, "given")
        keylog.close("given")
    private_keys = []
    if rsa_key is not None:
        with open(rsa_key, "rb") as file:
            private_keys = open_private_keys(file.read(), "given", ())
    return {"keylog": add_secrets_of([path], keylog), "private_keys": private_keys}
