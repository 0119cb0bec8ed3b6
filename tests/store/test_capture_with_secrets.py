import io
import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conversations import START, packetise
from keyed import page, pcapng_of, talk_of

from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.capture_writer import PcapngWriter, PcapWriter
from analyzer.store.capture_with_secrets import ConnectionFilter, KeyedCapture


@dataclass
class Seen:
    """The content of a capture."""

    frames: list[tuple[int, bytes, int, int, int]] = field(default_factory=list)
    secrets: list[tuple[int, bytes]] = field(default_factory=list)
    facts: FileFacts | None = None


def seen(path: Path) -> Seen:
    found = Seen()
    reader = CaptureReader([str(path)])
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            frame = packet_reader.frame
            data = frame.data[frame.start : frame.end]
            found.frames.append((frame.at, data, frame.wire_length, frame.link_type, frame.interface))
    found.secrets = reader.secrets
    found.facts = reader.files[0]
    return found


def copy(path: Path, *secrets: bytes, wanted: ConnectionFilter | None = None) -> tuple[Path, KeyedCapture]:
    target = path.with_suffix(".copy")
    with target.open("wb") as file:
        copied = KeyedCapture(file, secrets, wanted)
        packet_reader = None
        for packet_reader in CaptureReader([str(path)]).packet_readers():
            copied.run(packet_reader)
        copied.close(packet_reader)
    return target, copied


@pytest.mark.parametrize("order", ["little", "big"])
def test_frames_interfaces_and_comments_stay(tmp_path: Path, order: str):
    path = tmp_path / "capture"
    with path.open("wb") as file:
        writer = PcapngWriter(file, order, "of the file\nin two lines", "a box", "an os", "a program")  # type: ignore[arg-type]
        writer.write_secrets(b"CLIENT_RANDOM old\n")
        writer.write_interface(1, 100, "eth0", "inner")
        writer.write_interface(101, 0, "tun0")
        writer.write_frame(START, b"ethernet", comment="of the frame")
        writer.write_frame(START + 1, b"raw ip", 9000, 1)
        writer.write_frame(START + 5, b"", comment="empty")
    before = seen(path)
    target, copied = copy(path, b"CLIENT_RANDOM new\n", b"CLIENT_RANDOM more\n")
    after = seen(target)
    assert copied.frames == 3
    assert after.frames == before.frames
    assert [data for _, data in after.secrets] == [b"CLIENT_RANDOM new\n", b"CLIENT_RANDOM more\n"]
    assert before.facts is not None
    assert after.facts is not None
    assert after.facts.comments == before.facts.comments
    for one in ("hardware", "os", "application"):
        assert getattr(after.facts.sections[0], one) == getattr(before.facts.sections[0], one)
    names = [
        [(one.link_type, one.snap_length, one.name, one.description) for one in f.facts.interfaces] for f in (before, after)
    ]  # type: ignore[union-attr]
    assert names[0] == names[1]
    assert b"CLIENT_RANDOM old" not in target.read_bytes()


def test_the_secrets_are_before_every_packet(tmp_path: Path):
    path = tmp_path / "capture"
    path.write_bytes(pcapng_of(packetise(talk_of(page("/", b"one")).flights)))
    data = copy(path, b"secret\n")[0].read_bytes()
    kinds, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        kinds.append(kind)
        at += length
    assert kinds[:4] == [0x0A0D0D0A, 10, 1, 6]
    assert kinds.count(10) == 1


def test_a_pcap_becomes_pcapng(tmp_path: Path):
    path = tmp_path / "capture"
    with path.open("wb") as file:
        writer = PcapWriter(file, 113)
        writer.write_frame(START, b"cooked")
        writer.write_frame(START + 1, b"cut", 60)
    target, _ = copy(path, b"secret\n")
    assert seen(target).frames == [(START, b"cooked", 6, 113, 0), (START + 1, b"cut", 60, 113, 0)]


def test_several_sections_become_one(tmp_path: Path):
    path = tmp_path / "capture"
    parts = []
    for link_type in (1, 101):
        file = io.BytesIO()
        writer = PcapngWriter(file)
        writer.write_interface(link_type)
        writer.write_frame(START, b"frame of %d" % link_type)
        parts.append(file.getvalue())
    path.write_bytes(b"".join(parts))
    assert [frame[1:] for frame in seen(copy(path)[0]).frames] == [(b"frame of 1", 10, 1, 0), (b"frame of 101", 12, 101, 1)]


def test_a_frame_without_a_time(tmp_path: Path):
    path = tmp_path / "capture"
    file = io.BytesIO()
    PcapngWriter(file).write_interface(1)
    path.write_bytes(
        file.getvalue() + struct.pack("<IIII4sI", 3, 20, 4, 0x64636261, b"", 20)[:12] + b"abcd" + struct.pack("<I", 20)
    )
    ((at, data, *_),) = seen(copy(path)[0]).frames
    assert (at, data) == (0, b"abcd")


def test_a_capture_without_frames(tmp_path: Path):
    path = tmp_path / "capture"
    path.write_bytes(pcapng_of([]))
    target, copied = copy(path, b"secret\n")
    assert (copied.frames, [data for _, data in seen(target).secrets]) == (0, [b"secret\n"])


def test_only_the_packets_of_some_connections(tmp_path: Path):
    talks = [talk_of(page("/", b"%d" % n)) for n in range(3)]
    parts = [packetise(talk.flights, ports=(50000 + n % 2, 443)) for n, talk in enumerate(talks)]  # the ports are used again
    path = tmp_path / "capture"
    path.write_bytes(pcapng_of(*parts))
    before = len(parts[0]) + len(parts[1])
    key = b"\x0a\0\0\x01\x0a\0\0\x02" + struct.pack("!HH", 50000, 443)
    reverse = key[4:8] + key[:4] + key[10:] + key[8:10]
    span = (before + 1, before + len(parts[2]))
    target, copied = copy(path, wanted=ConnectionFilter({key: [span], reverse: [span]}))
    assert copied.frames == len(parts[2])
    assert [frame[1] for frame in seen(target).frames] == [segment.frame() for segment in parts[2]]


def test_fragments_between_its_hosts_stay(tmp_path: Path):
    (segment,) = packetise([(0, b"x" * 100)], syn=False, fin=False)
    frame = segment.frame()
    ip, payload = bytearray(frame[14:34]), frame[34:]
    fragments = []
    for offset, more in ((0, True), (64, False)):
        piece = payload[offset : offset + 64] if more else payload[offset:]
        struct.pack_into("!H", ip, 2, 20 + len(piece))
        struct.pack_into("!H", ip, 6, offset // 8 | (0x2000 if more else 0))
        fragments.append(frame[:14] + bytes(ip) + piece)
    path = tmp_path / "capture"
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        writer.write_interface(1)
        for number, data in enumerate([*fragments, fragments[0][:26] + b"\x0b" + fragments[0][27:]]):
            writer.write_frame(START + number, data)
    key = ip[12:20] + struct.pack("!HH", *segment.ports)
    target, _ = copy(path, wanted=ConnectionFilter({bytes(key): [(1, 9)]}))
    assert [data for _, data, *_ in seen(target).frames] == fragments
