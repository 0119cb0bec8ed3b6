"""Secrets that come late: whatever their place, through a file or a pipe, every session comes out as if they had come first."""

import gzip
import os
import struct
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from conversations import Tap, contexts, packetise, talk

from analyzer.capture.reader import CaptureReader
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.reading import Reading
from analyzer.engine import TLS_KEY_LOG, Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.record import session_record
from analyzer.tls import limits

SECOND = 10**9
CAPTURES = Path(__file__).parents[2] / "captures"
NAMES = sorted(path.name for path in CAPTURES.iterdir() if any(path.glob("*.keys")) and any(path.glob("*.pcap*")))

Frame = tuple[bytes, int, int, int]


def frames_of(path: Path) -> list[Frame]:
    """Bytes, link type, time and length on the wire of all frames."""
    reader = CaptureReader([str(path)])
    found: list[Frame] = []
    for walker in reader.walkers():
        while walker.advance():
            frame = reader.frame
            found.append((bytes(frame.data[frame.start : frame.end]), frame.link_type, frame.at, frame.wire_length))
    return found


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def pcapng(frames: list[Frame], keylog: bytes = b"", before: int = 0) -> bytes:
    """The frames as pcapng, with the secrets in front of the frame that has this index."""
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
    reading = Reading([str(path)])
    options = Namespace(keylog=list(map(str, keylogs)), rsa_key=[], psk_file=[], password_file=[])
    engine = Engine(False, True, *read_keys(options, reading))
    found = []
    for walker in reading.walkers(Output(os.devnull, [], "never")):
        engine.run(walker)
        found += engine.drain()
    engine.close()
    found += engine.drain()
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


@pytest.mark.parametrize("name", NAMES)
def test_a_session_is_the_same_wherever_its_secrets_stand(name: str, tmp_path: Path):
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


def test_holes_stay_in_their_places(tmp_path: Path):
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


def test_a_compressed_file_that_is_not_looked_into_waits_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = CAPTURES / "tls13-rsa"
    frames = frames_of(folder / "tls13-rsa.pcapng")
    keylog = (folder / "tls13-rsa.keys").read_bytes()
    path = tmp_path / "late.pcapng.gz"
    path.write_bytes(gzip.compress(pcapng(frames, keylog, len(frames))))
    monkeypatch.setattr("analyzer.cli.key_files.secrets_ahead", lambda path: [])
    monkeypatch.setattr("analyzer.cli.reading.LARGEST_COMPRESSED", 10)
    assert read(path)[0]["decryption"]["status"] == "decrypted"


@pytest.fixture
def bulk(tmp_path: Path) -> tuple[list[Frame], bytes]:
    """More in one session than waits for its secrets."""
    client, _ = contexts()
    client.keylog_filename = str(tmp_path / "bulk.keys")
    flights = talk.__wrapped__(requests=(limits.MOST_WAITING + 100_000,))
    frames = [segment.frame() for segment in packetise(flights, mss=32_000)]
    return [(data, 1, number, len(data)) for number, data in enumerate(frames)], (tmp_path / "bulk.keys").read_bytes()


def test_too_much_is_let_go_of_and_said(bulk: tuple[list[Frame], bytes], tmp_path: Path):
    frames, keylog = bulk
    (record,) = piped(tmp_path, [pcapng(frames, keylog, len(frames) - 2)])
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "no_secret")
    assert "late_secrets" in [finding["code"] for finding in record["findings"]]
    (record,) = piped(tmp_path, [pcapng(frames, keylog, 20)])
    assert record["decryption"]["status"] == "decrypted"
    assert "late_secrets" not in [finding["code"] for finding in record["findings"]]


def test_what_has_ended_waits_only_so_long(tmp_path: Path):
    folder = CAPTURES / "tls13-rsa"
    frames = frames_of(folder / "tls13-rsa.pcapng")
    keylog = (folder / "tls13-rsa.keys").read_bytes()
    data, link, at, wire = frames[0]
    other = data[:34] + b"\xee\xee" + data[36:]  # of a connection of its own
    secrets = block(10, struct.pack("<II", TLS_KEY_LOG, len(keylog)) + keylog)
    after = at + 10 * SECOND  # by then the connection has ended
    for wait, status in ((limits.LONGEST_WAIT - 11 * SECOND, "decrypted"), (limits.LONGEST_WAIT, "none")):
        text = pcapng([*frames, (other, link, after, wire), (other, link, after + wait, wire)])
        (record,) = piped(tmp_path, [text, lambda: time.sleep(0.3), secrets])
        assert record["decryption"]["status"] == status


def test_when_too_much_waits_in_all_nobody_waits_longer(tmp_path: Path):
    folder = CAPTURES / "curl-nginx-http1"
    frames = frames_of(folder / "curl-nginx-http1.pcap")
    keylog = (folder / "curl-nginx-http1.keys").read_bytes()
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcapng(frames, keylog, len(frames)),))
    writer.start()
    reading = Reading([str(path)])
    engine = Engine(coming=reading.secrets_may_come)
    for walker in reading.walkers(Output(os.devnull, [], "never")):
        while engine.step(walker):
            if engine.sessions.waiting is not None:
                engine.sessions.waiting.size = limits.MOST_WAITING_IN_ALL
    engine.close()
    writer.join(20)
    (session,) = engine.drain()
    record = session_record(session, False)
    assert record["decryption"]["status"] == "none"
    assert "late_secrets" in [finding["code"] for finding in record["findings"]]


def test_ended_ones_make_room_too(tmp_path: Path):
    folder = CAPTURES / "tls12-ticket-resumption"
    frames = frames_of(next(folder.glob("*.pcap*")))
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcapng(frames),))
    writer.start()
    reading = Reading([str(path)])
    engine = Engine(coming=reading.secrets_may_come)
    found = []
    for walker in reading.walkers(Output(os.devnull, [], "never")):
        while engine.step(walker):
            waiting = engine.sessions.waiting
            if waiting is not None and waiting.parked:
                waiting.size = 2 * limits.MOST_WAITING_IN_ALL
                waiting.relieve()
                assert not waiting.parked
                found += engine.drain()
    writer.join(20)
    assert found
    engine.close()
    assert sorted(session.id for session in found + engine.drain()) == list(range(engine.sessions.count))


def test_what_ends_with_the_last_secrets_ends_once(tmp_path: Path):
    folder = CAPTURES / "tls12-ticket-resumption"
    data = pcapng(frames_of(next(folder.glob("*.pcap*"))))
    log = tmp_path / "keys.log"
    log.write_bytes(b"")

    def write() -> None:
        time.sleep(0.3)  # all frames were read by then, and the sessions that have ended wait
        log.write_bytes(next(folder.glob("*.keys")).read_bytes())

    found = piped(tmp_path, [data, write], log)
    assert [record["id"] for record in found] == [0, 1]
    assert {record["decryption"]["status"] for record in found} == {"decrypted"}


def test_new_secrets_are_a_matter_of_the_sessions_that_they_are_of():
    class Counting(KeyLog):
        asked = 0

        def suffices(self, client_random: bytes) -> bool:
            self.asked += 1
            return super().suffices(client_random)

    keylog, n_sessions = Counting(), 60
    tap = Tap()
    tap.engine = Engine(False, False, keylog, coming=lambda: True)
    captures = [packetise(talk(), ports=(50000 + number, 443)) for number in range(n_sessions)]
    for segments in captures:
        tap.feed(*segments[:6])
    for number, segments in enumerate(captures):
        keylog.feed(f"EXPORTER_SECRET {number:064x} {number:064x}\n".encode())
        tap.feed(*segments[6:8])
    assert n_sessions <= keylog.asked < 10 * n_sessions
