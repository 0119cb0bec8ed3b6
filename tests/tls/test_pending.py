"""Secrets that come late: wherever they are, in a file or a pipe, the result is the same as if they had come first."""

import gzip
import os
import struct
import threading
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from conversations import Tap, contexts, ended, packetise, talk

from analyzer.capture.blocks import TLS_KEY_LOG
from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.tls import limits

SECOND = 10**9
CAPTURES = Path(__file__).parents[2] / "captures"
NAMES = sorted(path.name for path in CAPTURES.iterdir() if any(path.glob("*.keys")) and any(path.glob("*.pcap*")))

NEEDS_KEYS_FIRST = "quic-migration"
"""Without keys, nothing shows that the packets from its new addresses belong to the same connection (README, "Limits")."""

Frame = tuple[bytes, int, int, int]


def frames_of(path: Path) -> list[Frame]:
    """Bytes, link type, time and length on the wire of all frames."""
    reader = CaptureReader([str(path)])
    found: list[Frame] = []
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            frame = reader.frame
            found.append((bytes(frame.data[frame.start : frame.end]), frame.link_type, frame.at, frame.wire_length))
    return found


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def pcapng(frames: list[Frame], keylog: bytes = b"", before: int = 0) -> bytes:
    """The frames as pcapng, with the secrets before the frame that has this index."""
    links = sorted({link for _, link, _, _ in frames})
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    for link in links:
        out += block(1, struct.pack("<HHI", link, 0, 0) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
    secrets = block(10, struct.pack("<II", TLS_KEY_LOG, len(keylog)) + keylog) if keylog else b""
    for number, (data, link, at, wire) in enumerate(frames):
        if number == before:
            out += secrets
        out += block(6, struct.pack("<IIIII", links.index(link), at >> 32, at & 0xFFFFFFFF, len(data), wire) + data)
    return out + (secrets if before >= len(frames) else b"")


def read(path: Path, *keylogs: Path) -> list[dict[str, Any]]:
    """The records of all sessions, by id."""
    reading = CaptureRun([str(path)], Output(os.devnull, [], "never"))
    options = Namespace(keylog=list(map(str, keylogs)), rsa_key=[], psk_file=[], password_file=[])
    engine = Engine(**read_keys(options, reading))
    found = []
    for packet_reader in reading.packet_readers():
        engine.run(packet_reader)
        found += ended(engine.take())
    engine.close()
    found += ended(engine.take())
    return sorted((session_record(session, True) for session in found), key=lambda record: record["id"])


def piped(folder: Path, parts: Iterable[bytes | Callable[[], None]], *keylogs: Path) -> list[dict[str, Any]]:
    """As `read`, through a named pipe; a function among the parts is called between them."""
    pipe = folder / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as stream:
            for part in parts:
                if isinstance(part, bytes):
                    stream.write(part)
                else:
                    part()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return read(pipe, *keylogs)
    finally:
        writer.join(20)


def check_same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    assert [one["id"] for one in found] == [one["id"] for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        for key, value in other.items():
            assert one[key] == value, (one["id"], key)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("name", [name for name in NAMES if name != NEEDS_KEYS_FIRST])
def test_a_session_is_the_same_wherever_its_secrets_are(name: str, tmp_path: Path):
    folder = CAPTURES / name
    frames = frames_of(next(folder.glob(f"{name}.pcap*")))
    keylog = (folder / f"{name}.keys").read_bytes()
    path = tmp_path / "first.pcapng"
    path.write_bytes(pcapng(frames, keylog))
    wanted = read(path)
    assert {one["decryption"]["status"] for one in wanted} & {"decrypted", "partial", "not_needed"}
    for before in (len(frames) // 3, len(frames) // 2, len(frames)):
        data = pcapng(frames, keylog, before)
        path = tmp_path / "late.pcapng"
        path.write_bytes(data)
        check_same(read(path), wanted)
        check_same(piped(tmp_path, pieces(data, 1500)), wanted)
    log = tmp_path / "keys.log"
    log.write_bytes(b"")
    grown = piped(tmp_path, [*pieces(pcapng(frames), 1500), lambda: [log.write_bytes(keylog), None][1]], log)
    check_same(grown, wanted)


def test_labels_that_come_one_by_one(tmp_path: Path):
    folder = CAPTURES / "tls13-rsa"
    frames = frames_of(folder / "tls13-rsa.pcapng")
    lines = (folder / "tls13-rsa.keys").read_bytes().splitlines(True)
    wanted = read(folder / "tls13-rsa.pcapng", folder / "tls13-rsa.keys")
    out = pcapng(frames[:3])
    for number in range(3, len(frames)):
        if number < 3 + len(lines):
            line = lines[number - 3]
            out += block(10, struct.pack("<II", TLS_KEY_LOG, len(line)) + line)
        data, _, at, wire = frames[number]
        out += block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(data), wire) + data)
    found = piped(tmp_path, pieces(out, 700))
    check_same(found, wanted)


def test_gap_stay_in_their_places(tmp_path: Path):
    folder = CAPTURES / "curl-nginx-http1"
    frames = frames_of(folder / "curl-nginx-http1.pcap")
    keylog = (folder / "curl-nginx-http1.keys").read_bytes()
    for missing in range(3, len(frames)):
        some = frames[:missing] + frames[missing + 1 :]
        path = tmp_path / "first.pcapng"
        path.write_bytes(pcapng(some, keylog))
        check_same(piped(tmp_path, [pcapng(some, keylog, len(some))]), read(path))


def test_without_secrets_a_pipe_is_like_a_file(tmp_path: Path):
    demo = CAPTURES / "demo.pcapng"
    frames = frames_of(demo)
    path = tmp_path / "none.pcapng"
    path.write_bytes(pcapng(frames))
    check_same(piped(tmp_path, pieces(path.read_bytes(), 4096)), read(path))


def test_sessions_of_a_compressed_file_without_prescan_are_pending_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = CAPTURES / "tls13-rsa"
    frames = frames_of(folder / "tls13-rsa.pcapng")
    keylog = (folder / "tls13-rsa.keys").read_bytes()
    path = tmp_path / "late.pcapng.gz"
    path.write_bytes(gzip.compress(pcapng(frames, keylog, len(frames))))
    monkeypatch.setattr("analyzer.store.secret_files.prescan_keys", lambda path: [])
    monkeypatch.setattr("analyzer.capture.capture_reader.LARGEST_COMPRESSED", 10)
    assert read(path)[0]["decryption"]["status"] == "decrypted"


@pytest.fixture
def bulk(tmp_path: Path) -> tuple[list[Frame], bytes]:
    """A session with more data than the limit for a pending session."""
    client, _ = contexts()
    client.keylog_filename = str(tmp_path / "bulk.keys")
    flights = talk.__wrapped__(requests=(limits.MAX_PENDING + 100_000,))
    frames = [segment.frame() for segment in packetise(flights, mss=32_000)]
    return [(data, 1, number, len(data)) for number, data in enumerate(frames)], (tmp_path / "bulk.keys").read_bytes()


def test_too_much_is_evicted_and_reported(bulk: tuple[list[Frame], bytes], tmp_path: Path):
    frames, keylog = bulk
    (record,) = piped(tmp_path, [pcapng(frames, keylog, len(frames) - 2)])
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "no_secret")
    assert "late_secrets" in [finding["code"] for finding in record["findings"]]
    (record,) = piped(tmp_path, [pcapng(frames, keylog, 20)])
    assert record["decryption"]["status"] == "decrypted"
    assert "late_secrets" not in [finding["code"] for finding in record["findings"]]


@pytest.mark.parametrize(("wait", "status"), [(limits.MAX_PENDING_TIME, "decrypted"), (limits.MAX_PENDING_TIME + 1, "none")])
def test_ended_sessions_stay_pending_for_a_limited_time(wait: int, status: str):
    """By the time of the capture, to the nanosecond."""
    folder = CAPTURES / "tls13-rsa"
    keylog = KeyLog()
    engine = Engine(keylog=keylog, may_grow=lambda: True)
    for packet_reader in CaptureReader([str(folder / "tls13-rsa.pcapng")]).packet_readers():
        while packet_reader.advance():
            engine.feed(packet_reader.frame)
    engine.tick(engine.at + 20 * SECOND)  # by then the connection has ended
    assert engine.take() == []
    (pending,) = engine.dispatcher.pending.parked.values()
    assert pending.ended is not None
    engine.tick(pending.ended[1] + wait)
    early = ended(engine.take())
    assert len(early) == (status == "none")
    keylog.feed((folder / "tls13-rsa.keys").read_bytes())
    engine.close()
    (session,) = [*early, *ended(engine.take())]
    assert session_record(session, False)["decryption"]["status"] == status


def test_above_the_total_limit_sessions_are_evicted(tmp_path: Path):
    folder = CAPTURES / "curl-nginx-http1"
    frames = frames_of(folder / "curl-nginx-http1.pcap")
    keylog = (folder / "curl-nginx-http1.keys").read_bytes()
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcapng(frames, keylog, len(frames)),))
    writer.start()
    reading = CaptureRun([str(path)], Output(os.devnull, [], "never"))
    engine = Engine(may_grow=reading.secrets_may_come)
    for packet_reader in reading.packet_readers():
        while engine.step(packet_reader):
            if engine.dispatcher.pending is not None:
                engine.dispatcher.pending.size = limits.MAX_PENDING_TOTAL
    engine.close()
    writer.join(20)
    (session,) = ended(engine.take())
    record = session_record(session, False)
    assert record["decryption"]["status"] == "none"
    assert "late_secrets" in [finding["code"] for finding in record["findings"]]


def test_ended_sessions_are_evicted_too(tmp_path: Path):
    folder = CAPTURES / "tls12-ticket-resumption"
    frames = frames_of(next(folder.glob("*.pcap*")))
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcapng(frames),))
    writer.start()
    reading = CaptureRun([str(path)], Output(os.devnull, [], "never"))
    engine = Engine(may_grow=reading.secrets_may_come)
    found = []
    for packet_reader in reading.packet_readers():
        while engine.step(packet_reader):
            pending = engine.dispatcher.pending
            if pending is not None and pending.parked:
                pending.size = 2 * limits.MAX_PENDING_TOTAL
                pending.evict()
                assert not pending.parked
                found += ended(engine.take())
    writer.join(20)
    assert found
    engine.close()
    assert sorted(session.id for session in found + ended(engine.take())) == list(range(engine.dispatcher.count))


def test_what_ends_with_the_last_secrets_ends_once():
    folder = CAPTURES / "tls12-ticket-resumption"
    keylog = KeyLog()
    engine = Engine(keylog=keylog, may_grow=lambda: True)
    for packet_reader in CaptureReader([str(next(folder.glob("*.pcap*")))]).packet_readers():
        engine.run(packet_reader)
    engine.tick(engine.at + 20 * SECOND)
    assert engine.take() == []  # all frames were read, and the ended sessions are pending
    assert list(engine.dispatcher.pending.parked) == [0, 1]
    keylog.feed(next(folder.glob("*.keys")).read_bytes())
    engine.close()
    found = [session_record(session, False) for session in ended(engine.take())]
    assert [record["id"] for record in found] == [0, 1]
    assert {record["decryption"]["status"] for record in found} == {"decrypted"}
    assert engine.take() == []


def test_new_secrets_are_a_matter_of_the_sessions_that_they_are_of():
    class Counting(KeyLog):
        asked = 0

        def has_all_secrets(self, client_random: bytes) -> bool:
            self.asked += 1
            return super().has_all_secrets(client_random)

    keylog, n_sessions = Counting(), 60
    tap = Tap()
    tap.engine = Engine(fields=False, keylog=keylog, may_grow=lambda: True)
    captures = [packetise(talk(), ports=(50000 + number, 443)) for number in range(n_sessions)]
    for segments in captures:
        tap.feed(*segments[:6])
    for number, segments in enumerate(captures):
        keylog.feed(f"EXPORTER_SECRET {number:064x} {number:064x}\n".encode())
        tap.feed(*segments[6:8])
    assert n_sessions <= keylog.asked < 10 * n_sessions
