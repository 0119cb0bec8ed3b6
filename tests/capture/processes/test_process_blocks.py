"""The process of frames in pcapng files: Apple's blocks, the option of the draft, Wireshark's blocks, lying lengths, limits."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conversations import START, packetise, talk

from analyzer.capture.capture_writer import PcapngWriter
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.capture.processes import process_blocks
from analyzer.capture.processes.process_blocks import FrameProcesses
from analyzer.capture.processes.process_identity import LONGEST_NAME, Process

DARWIN, CUSTOM, PACKET = 0x80000001, 0xBAD, 6
ORDERS = pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def options(order: str, *pairs: tuple[int, bytes]) -> bytes:
    made = b"".join(struct.pack(order + "HH", code, len(value)) + padded(value) for code, value in pairs)
    return made + (struct.pack(order + "HH", 0, 0) if pairs else b"")


def block(order: str, kind: int, body: bytes) -> bytes:
    body = padded(body)
    return struct.pack(order + "II", kind, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))


def head(order: str) -> bytes:
    section = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    return section + block(order, 1, struct.pack(order + "HHI", 1, 0, 0) + options(order, (9, b"\x09")))


def packet(order: str, *pairs: tuple[int, bytes], data: bytes = b"\0" * 14, at: int = START) -> bytes:
    fixed = struct.pack(order + "IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(data), len(data))
    return block(order, PACKET, fixed + padded(data) + options(order, *pairs))


def darwin(order: str, pid: int, *pairs: tuple[int, bytes]) -> bytes:
    return block(order, DARWIN, struct.pack(order + "I", pid) + options(order, *pairs))


def described(order: str, pid: int, *pairs: tuple[int, bytes], kind: int = 3) -> bytes:
    """A Custom Block of Wireshark's, whose entry is little-endian in every section."""
    entry = struct.pack("<I", pid) + options("<", *pairs)
    return block(order, CUSTOM, struct.pack(order + "I", 32622) + struct.pack("<II", kind, len(entry)) + padded(entry))


def u32(order: str, *numbers: int) -> bytes:
    return struct.pack(f"{order}{len(numbers)}I", *numbers)


def read(data: bytes, step: int = 1 << 20) -> PacketReader:
    reader = PacketReader(Frame())
    for place in range(0, len(data), step):
        reader.feed(data[place : place + step])
        while reader.advance():
            pass
    reader.close()
    return reader


@ORDERS
@pytest.mark.parametrize("step", [1 << 20, 7])
def test_apples_blocks(order: str, step: int):
    uuid = bytes(range(16))
    data = head(order) + darwin(order, 501, (2, b"mDNSResponder"), (4, uuid)) + darwin(order, 1, (2, b"launchd"))
    data += packet(order, (0x8001, u32(order, 0))) + packet(order, (1, b"comment"), (0x8001, u32(order, 1)))
    data += packet(order, (0x8001, u32(order, 0)), (0x8003, u32(order, 1))) + packet(order)
    found = read(data, step)
    assert [found.processes.of(frame) for frame in range(6)] == [
        None,
        Process("mDNSResponder", 501),
        Process("launchd", 1),
        Process("mDNSResponder", 501),
        None,
        None,
    ]
    assert found.comments == [(2, "comment")]
    assert found.anomalies == []


@ORDERS
def test_process_and_thread_ids(order: str):
    data = head(order) + packet(order, (8, u32(order, 1234, 5678))) + packet(order, (8, u32(order, 0, 0)))
    assert [read(data).processes.of(frame) for frame in (1, 2)] == [Process(pid=1234), None]


@ORDERS
def test_wiresharks_blocks(order: str):
    data = head(order) + described(
        order, 1234, (2, b"curl"), (3, b"/usr/bin/curl"), (5, u32("<", 1)), (6, u32("<", 1000)), (7, b"alice"), (1, b"note")
    )
    data += described(order, 77, (6, u32("<", 1000))) + described(order, 78, kind=99)
    data += b"".join(packet(order, (8, u32(order, pid, 0))) for pid in (1234, 77, 78))
    found = read(data)
    numbers = [found.frame.number - 2, found.frame.number - 1, found.frame.number]
    assert [found.processes.of(number) for number in numbers] == [
        Process("curl", 1234, "alice"),
        Process(None, 77, "1000"),
        Process(None, 78),
    ]


def test_a_process_id_that_was_used_again_is_told_apart_by_time():
    begun = [(2, b"first"), (9, struct.pack("<Q", START - 10))], [(2, b"second"), (9, struct.pack("<Q", START + 20))]
    data = head("<") + b"".join(described("<", 500, *pairs) for pairs in begun)
    data += described("<", 600, (2, b"old")) + described("<", 600, (2, b"new"))
    data += packet("<", (8, u32("<", 500, 0)), at=START + 5) + packet("<", (8, u32("<", 500, 0)), at=START + 25)
    data += packet("<", (8, u32("<", 500, 0)), at=START - 100) + packet("<", (8, u32("<", 600, 0)))
    found = read(data)
    last = found.frame.number
    names = [process.name for frame in range(last - 3, last + 1) if (process := found.processes.of(frame)) is not None]
    assert names == ["first", "second", "first", "new"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(block("<", DARWIN, b""), id="no process id"),
        pytest.param(darwin("<", 5, (2, b"name"))[:-16] + b"\xff\xff\xff\xff" * 2 + u32("<", 32), id="option too long"),
        pytest.param(block("<", CUSTOM, u32("<", 32622, 3, 400) + u32("<", 1)), id="entry longer than its block"),
        pytest.param(block("<", CUSTOM, u32("<", 32622, 3, 2) + u32("<", 1)), id="entry too short"),
    ],
)
def test_a_lying_length_costs_its_block_and_nothing_more(bad: bytes):
    bad = bad[:4] + u32("<", len(bad)) + bad[8:-4] + u32("<", len(bad))
    data = head("<") + bad + darwin("<", 7, (2, b"good"))
    data += packet("<", (0x8001, u32("<", int(bad[:4] == u32("<", DARWIN)))))
    found = read(data)
    assert len(found.anomalies) == 1
    assert found.processes.of(found.frame.number) == Process("good", 7)


def test_what_refers_to_nothing_is_nothing():
    data = head("<") + packet("<", (0x8001, u32("<", 0))) + packet("<", (0x8001, b"\0")) + packet("<", (8, b"\1\0\0\0"))
    data += block("<", CUSTOM, u32("<", 1, 3, 4, 5)) + block("<", CUSTOM, b"") + block("<", CUSTOM, u32("<", 32622))
    found = read(data)
    assert not found.processes.any
    assert [found.processes.of(frame) for frame in range(8)] == [None] * 8
    assert found.anomalies == []


def test_a_name_is_bounded():
    data = head("<") + darwin("<", 1, (2, b"\x1b\xff" + b"x" * 60_000)) + packet("<", (0x8001, u32("<", 0)))
    process = read(data).processes.of(1)
    assert process is not None
    assert process.name is not None
    assert len(process.name) == LONGEST_NAME
    assert process.name.startswith("\x1b\\xffx")


def test_runs_and_processes_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process_blocks, "MAX_RUNS", 8)
    monkeypatch.setattr(process_blocks, "MAX_PROCESSES", 3)
    known = FrameProcesses()
    for frame in range(1, 21):
        known.note_pid(frame, 1 + frame % 2, 0)
    assert known.of(20) == Process(pid=1)
    assert known.of(1) is None
    assert sum(known.of(frame) is not None for frame in range(1, 21)) <= 8
    for pid in range(10, 20):
        known.note_pid(100 + pid, pid, 0)
    assert [known.of(110), known.of(111)] == [Process(pid=10), None]


def sessions(*paths: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "analyzer", "sessions", *map(str, paths), "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[3])
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("marked", [0, 3, 5, 6])
def test_the_record_of_a_session_names_the_process_of_its_frames(tmp_path: Path, marked: int):
    """marked: the first frame of the session that has a process; the packet that began the connection often has none."""
    frames = [segment.frame() for segment in packetise(talk())]
    data = head("<") + darwin("<", 501, (2, b"Safari"))
    for number, frame in enumerate(frames):
        data += packet("<", *([(0x8001, u32("<", 0))] if number >= marked else []), data=frame, at=START + number * 1000)
    path = tmp_path / "capture.pcapng"
    path.write_bytes(data)
    wanted = {"name": "Safari", "pid": 501, "user": None, "container": None}
    assert [record["process"] for record in sessions(path)] == [wanted]
    plain = tmp_path / "plain.pcapng"
    others = [segment.frame() for segment in packetise(talk(), ports=(50001, 443))]
    plain.write_bytes(head("<") + b"".join(packet("<", data=frame, at=START - 1) for frame in others))
    assert [record["process"] for record in sessions(plain)] == [None]
    assert [record["process"] for record in sessions(plain, path)] == [None, wanted]
    command = [sys.executable, "-m", "analyzer", "show", str(path), "0"]
    shown = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[3])
    assert b"Safari[501]\n" in shown.stdout


def test_the_app_in_the_trailer_of_pcapdroid() -> None:
    processes = FrameProcesses()
    trailer = struct.pack(">Ii20sI", 0x01072021, 10123, b"Firefox", 1)
    packet = bytes(12) + b"\x08\0" + b"E" * 40
    strange = struct.pack(">Ii20sI", 0x01072021, -1, b"\xff\x1b[2J\0junk", 1)
    others = bytes(32), strange, trailer[:31], b"\1" + trailer, bytes(4) + trailer
    for number, behind in enumerate((trailer, b"\0\0" + trailer, *others), 1):
        processes.read_trailer(number, packet + behind, len(packet), 1)
    processes.read_trailer(8, b"\2" + packet[1:] + trailer, len(packet), 1)  # from a network
    processes.read_trailer(9, packet + trailer, len(packet), 113)
    assert processes.of(1) is processes.of(2)
    assert processes.of(2) == Process("Firefox", None, "10123")
    assert [processes.of(frame) is not None for frame in range(1, 10)] == [True, True, False, True] + [False] * 5
    assert processes.of(4) == Process("\\xff\x1b[2J", None, None)


@pytest.mark.parametrize("padded", [True, False])
def test_whose_session_it_is(tmp_path: Path, padded: bool) -> None:
    """PCAPdroid fills each frame to whole words. What comes from a network names no app."""
    trailer = struct.pack(">Ii20sI", 0x01072021, 10123, b"Firefox", 1)

    def behind(frame: bytes) -> bytes:
        return bytes(-len(frame) % 4 if padded else 0) + trailer

    frames = [segment.frame() for segment in packetise(talk())]
    own = [bytes(12) + frame[12:] for frame in frames]
    for sent, name in ((own, "Firefox"), (frames, None)):
        path = tmp_path / "apps.pcapng"
        with path.open("wb") as file:
            writer = PcapngWriter(file)
            writer.write_interface(1)
            for number, frame in enumerate(sent):
                writer.write_frame(START + number, frame + behind(frame))
        [record] = sessions(path)
        assert (record["process"] or {"name": None})["name"] == name
