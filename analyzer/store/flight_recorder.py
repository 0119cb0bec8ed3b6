"""A flight recorder: holds the last packets in memory, and writes them as an incident when a session has a certain finding.

A failure is one too, by its cause; also that of a connection in which TLS never began, if the engine watches them.

An incident is a folder: the packets before the finding (pcapng), the records of the sessions that ended in that time (JSON
lines), a summary in words, and a manifest with the SHA-256 of each file, so that the folder can be handed on as evidence, and
checked with `analyzer verify`; the SHA-256 of the manifest stands beside it. It is private, because it holds what people said.
Secrets are in it only if that was asked for; then the packets can be decrypted.
"""

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from analyzer.analysis.outcome_facts import ABANDONED, FAILED
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.capture.frame import Frame
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.engine.run import Listener
from analyzer.packet.addresses import endpoints
from analyzer.packet.packet import Packet
from analyzer.store.chain_verdicts import Chains
from analyzer.store.clock import rfc3339
from analyzer.store.folder import PRIVATE_FOLDER
from analyzer.store.kept_packets import Origin
from analyzer.store.private_file import PrivateFile
from analyzer.store.session_record import json_line, session_record
from analyzer.store.session_secrets import SessionSecrets
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, Finding, SessionEnded
from analyzer.tls.session import Session

MOST_BYTES = 24 << 20
"""Bytes of packets that are held, at most, with what each of them costs in memory."""

FRAME_COST = 200
"""Bytes of memory of a packet beside its bytes."""

MOST_RECORDS = 8 << 20
"""Bytes of the records of ended sessions that are held, at most."""

MOST_INCIDENTS = 100
"""Incidents of a run, also those that could not be written whole. A sender who can cause one finding can cause it again and
again, until the disk is full."""

PASSES_FILTER = "passes_filter"
"""The code of an incident whose session passes a filter. Its detail is the filter."""

_SECOND = 1_000_000_000


@dataclass(slots=True)
class _Held:
    """A packet that is held. See `Frame` for what its attributes mean."""

    at: int
    data: bytes
    wire_length: int
    link_type: int
    interface: int


@dataclass(slots=True)
class _Ended:
    """A session that has ended: when, its record as a line of JSON, and its secrets as lines of a key log."""

    at: int
    line: bytes
    secrets: bytes


@dataclass(frozen=True, slots=True)
class IncidentSecrets:
    """What puts secrets into incidents. material: the secrets of the run.

    open_sessions: returns the sessions that are open and had a packet in that frame or later.
    """

    material: KeyMaterial
    open_sessions: Callable[[int], Iterable[Session]]

    def of_ended(self, session: Session) -> bytes:
        """Return the secrets of a session that has ended, as lines of a key log."""
        found = SessionSecrets(self.material)
        found.add(session)
        return found.lines.get(session.id, b"")

    def of_open(self, first_frame: int) -> bytes:
        """Return the secrets known so far of the sessions that are open and had a packet in that frame or later."""
        found = SessionSecrets(self.material)
        for session in self.open_sessions(first_frame):
            found.add(session)
        return b"".join(found.lines[number] for number in sorted(found.lines))


class ChosenNow(Protocol):
    """Chooses sessions by a display filter. text: the filter; fresh: numbers of the sessions that have passed in this turn."""

    text: str
    fresh: list[int]


class FlightRecorder(Listener):
    """Holds the packets of the last `seconds` seconds, and writes incidents into folders in `folder`.

    incidents: the folders that were written. notes: what went wrong, each once, in one line. The engine must be
    `detailed`, so that findings in sessions that go on are seen too.
    """

    sees_packets = True

    def __init__(
        self,
        folder: str,
        seconds: float,
        codes: Collection[str],
        origin: Origin,
        chains: Chains,
        render: Callable[[dict[str, Any]], str],
        secrets: IncidentSecrets | None = None,
        chosen: ChosenNow | None = None,
    ) -> None:
        """Prepare the recorder.

        codes: those of findings, and of causes of failures, that make an incident. render: makes a line of text of a session's
        record. secrets: None if they are not to be in the incidents. chosen: sessions that make an incident too; it takes the
        events of each turn before this does.
        """
        self.incidents: list[str] = []
        self.notes: list[str] = []
        self._folder = folder
        self._window = int(seconds * _SECOND)
        self._codes = frozenset(codes)
        self._origin = origin
        self._chains = chains
        self._render = render
        self._secrets = secrets
        self._chosen = chosen
        self._last_frame = 0
        self._frames: deque[_Held] = deque()
        self._n_bytes = 0
        self._ended: deque[_Ended] = deque()
        self._n_ended = 0
        self._n_tried = 0
        self._reasons: set[str] = set()
        self._found: dict[str, tuple[int | None, str]] = {}
        self._texts: list[str] = []
        self._reported: set[tuple[int, str]] = set()

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        frames = self._frames
        data = bytes(frame.data[frame.start : frame.end])
        frames.append(_Held(frame.at, data, frame.wire_length, frame.link_type, frame.interface))
        self._last_frame = frame.number
        self._n_bytes += len(data) + FRAME_COST
        while self._n_bytes > MOST_BYTES or frame.at - frames[0].at > self._window:
            self._n_bytes -= len(frames.popleft().data) + FRAME_COST

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        if self._chosen is not None:
            for session in self._chosen.fresh:
                self._find(session, PASSES_FILTER, self._chosen.text)
        for event in events:
            if isinstance(event, Finding) and event.code in self._codes:
                self._find(event.session, event.code, event.detail)
            elif isinstance(event, SessionEnded):
                self._end(event.ended, event.at)
            elif isinstance(event, ConnectionFailed) and event.outcome["cause"] in self._codes:
                (client, _), (server, port) = endpoints(event.key)
                detail = f"{client} to port {port} of {server}: {event.outcome['detail']}"
                self._found.setdefault(event.outcome["cause"], (None, detail))

    def end_turn(self) -> None:
        """See `Listener.end_turn`. What was found in the turn is one incident."""
        if self._found:
            self._report()
            self._found.clear()
            self._texts.clear()

    def _end(self, session: Session, at: int) -> None:
        record = session_record(session, False, self._chains)
        secrets = b"" if self._secrets is None else self._secrets.of_ended(session)
        self._hold(_Ended(at, json_line(record), secrets))
        for finding in record["findings"]:
            if finding["code"] in self._codes:
                self._find(session.id, finding["code"], finding["detail"])
        outcome = record["outcome"]
        if outcome["result"] in (FAILED, ABANDONED) and outcome["cause"] in self._codes:
            self._find(session.id, outcome["cause"], outcome["detail"] or "")
        if any(number == session.id for number, _ in self._found.values()):
            self._texts.append(self._render(record))
        self._reported = {one for one in self._reported if one[0] != session.id}

    def _hold(self, ended: _Ended) -> None:
        """Hold a record, and let those go that are too old or too many."""
        held = self._ended
        held.append(ended)
        self._n_ended += len(ended.line) + len(ended.secrets)
        while len(held) > 1 and (self._n_ended > MOST_RECORDS or ended.at - held[0].at > self._window):
            old = held.popleft()
            self._n_ended -= len(old.line) + len(old.secrets)

    def _find(self, session: int, code: str, detail: str) -> None:
        """Note a finding, once for each session and code, although its session may tell it again when it ends."""
        if (session, code) not in self._reported:
            self._reported.add((session, code))
            self._found.setdefault(code, (session, detail))

    def _report(self) -> None:
        if self._n_tried >= MOST_INCIDENTS:
            self._note(f"no more incidents are written: there are {MOST_INCIDENTS} of this run")
            return
        self._n_tried += 1
        now = time.time_ns()
        session = next(iter(self._found.values()))[0]
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now // _SECOND))
        # One session can have several incidents in a second.
        name = f"incident-{when}-{self._n_tried:03d}-{'connection' if session is None else f'session-{session}'}"
        path = os.path.join(self._folder, name)
        try:
            os.mkdir(path, PRIVATE_FOLDER)
            self._write(path, now)
        except OSError as error:
            reason = error.strerror or str(error)
            self._note(reason, f"{error.filename or path}: {reason}; this incident is not complete, nor others for this reason")
            return
        self.incidents.append(path)

    def _note(self, reason: str, note: str = "") -> None:
        if reason not in self._reasons:
            self._reasons.add(reason)
            self.notes.append(note or reason)

    def _write(self, path: str, now: int) -> None:
        first = self._frames[0].at if self._frames else 0
        ended = [one for one in self._ended if one.at < 0 or one.at >= first]
        with PrivateFile(os.path.join(path, "packets.pcapng")) as file:
            writer = PcapngWriter(file, application=self._origin.application, comment=", ".join(self._found))
            secrets = b"".join(one.secrets for one in ended)
            if self._secrets is not None:
                secrets += self._secrets.of_open(self._last_frame - len(self._frames) + 1)
            if secrets:
                writer.write_secrets(secrets)
            self._write_packets(writer)
        with PrivateFile(os.path.join(path, "sessions.jsonl")) as file:
            file.writelines(one.line for one in ended)
        with PrivateFile(os.path.join(path, "summary.txt")) as file:
            file.write(self._summary(now).encode("utf-8", "backslashreplace"))
        manifest = json.dumps(self._manifest(path, now, bool(secrets)), indent=2).encode("ascii") + b"\n"
        with PrivateFile(os.path.join(path, "manifest.json")) as file:
            file.write(manifest)
        with PrivateFile(os.path.join(path, "manifest.sha256")) as file:  # as sha256sum writes it
            file.write(f"{hashlib.sha256(manifest).hexdigest()}  manifest.json\n".encode("ascii"))

    def _write_packets(self, writer: PcapngWriter) -> None:
        known = self._origin.interfaces()
        n_interfaces = 0
        for held in self._frames:
            while n_interfaces <= held.interface:
                one = known[n_interfaces] if n_interfaces < len(known) else None
                name = "" if one is None else one.name or ""
                writer.write_interface(held.link_type if one is None else one.link_type, name=name)
                n_interfaces += 1
            writer.write_frame(max(0, held.at), held.data, held.wire_length, held.interface)

    def _summary(self, now: int) -> str:
        lines = [f"Incident at {rfc3339(now)}, {self._origin.application}"]
        for code, (session, detail) in self._found.items():
            where = "a connection without TLS" if session is None else f"session {session}"
            lines.append(f"{where}: {code}: {ascii(detail)[1:-1]}")
        lines += self._texts
        if self._frames:
            times = f"{rfc3339(self._frames[0].at)} to {rfc3339(self._frames[-1].at)}"
            lines.append(f"packets.pcapng has {len(self._frames):,} packets before it, from {times}")
        return "\n".join(lines) + "\n"

    def _manifest(self, path: str, now: int, secrets: bool) -> dict[str, Any]:
        files = []
        for name in ("packets.pcapng", "sessions.jsonl", "summary.txt"):
            with open(os.path.join(path, name), "rb") as file:
                digest = hashlib.file_digest(file, "sha256")
                files.append({"name": name, "size": file.tell(), "sha256": digest.hexdigest()})
        findings = [{"session": session, "code": code, "detail": detail} for code, (session, detail) in self._found.items()]
        return {"time": rfc3339(now), "findings": findings, "packets": len(self._frames), "secrets": secrets, "files": files}
