"""Packets that a run keeps: the files say what the source says, and every frame is in them."""

from collections.abc import Generator
from pathlib import Path

import pytest
from conversations import packetise, pcap, talk
from keyed import talk_of
from limited import files_up_to

from analyzer.capture.blocks import Interface
from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.capture.packet_reader import PacketReader
from analyzer.cli.live_keeping import open_sessions_of
from analyzer.engine import Engine, run
from analyzer.secrets.keylog import KeyLog
from analyzer.store import kept_packets
from analyzer.store.kept_packets import KeptPackets, Origin, Ring

DATA = pcap(packetise(talk()))
INTERFACES = [Interface(0, 0, 1, 65535, "", name="eth0", description="the first", filter="tcp port 443")]
ORIGIN = Origin(
    lambda: INTERFACES,
    lambda: [InterfaceStatistics("eth0", 100, 7, None, 2, 1, True)],
    "the test",
)


class Pieces:
    """A source of one capture, in turns of so many bytes."""

    def __init__(self, data: bytes, step: int = 1 << 20) -> None:
        self.data, self.step = data, step

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        packet_reader = PacketReader(Frame())
        for pos in range(0, len(self.data), self.step):
            packet_reader.feed(self.data[pos : pos + self.step])
            yield packet_reader


def frames_of(*paths: str | Path) -> tuple[list[tuple[int, bytes, int]], CaptureReader]:
    reader, frames = CaptureReader([str(path) for path in paths]), []
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            frame = packet_reader.frame
            frames.append((frame.at, frame.data[frame.start : frame.end], frame.wire_length))
    return frames, reader


def test_every_frame_comes_back(tmp_path: Path):
    path = tmp_path / "kept.pcapng"
    (tmp_path / "capture").write_bytes(DATA)
    run(Pieces(DATA, 100), Engine(), [KeptPackets(str(path), ORIGIN)])
    frames, reader = frames_of(path)
    assert frames == frames_of(tmp_path / "capture")[0]
    (facts,) = reader.files
    (interface,) = facts.interfaces
    assert (interface.name, interface.description, interface.filter) == ("eth0", "the first", "tcp port 443")
    assert interface.snap_length == 65535
    (section,) = facts.sections
    assert section.application == "the test"
    (counted,) = facts.statistics
    assert (counted.received, counted.dropped_by_interface, counted.dropped_by_system) == (100, None, 9)
    assert counted.start_time is not None
    assert counted.end_time is not None
    assert counted.start_time <= counted.end_time == counted.at


def test_a_ring_has_every_frame_that_it_keeps(tmp_path: Path):
    kept = KeptPackets(str(tmp_path / "ring.pcapng"), ORIGIN, Ring(n_bytes=2000))
    run(Pieces(DATA), Engine(), [kept])
    assert len(kept.paths) > 3
    (tmp_path / "capture").write_bytes(DATA)
    assert frames_of(*kept.paths)[0] == frames_of(tmp_path / "capture")[0]
    few = KeptPackets(str(tmp_path / "few.pcapng"), ORIGIN, Ring(n_bytes=2000, keep=2))
    run(Pieces(DATA), Engine(), [few])
    assert sorted(tmp_path.glob("few_*")) == sorted(map(Path, few.paths))
    assert frames_of(*few.paths)[0] == frames_of(*list(kept.paths)[-2:])[0]


def test_each_file_of_a_ring_has_its_own_counters_of_all_interfaces(tmp_path: Path):
    """Counters are since the file before; what an interface without packets has dropped is in the file too."""
    n_asked = 0

    def statistics() -> list[InterfaceStatistics]:
        nonlocal n_asked
        n_asked += 1
        quiet = InterfaceStatistics("eth1", 3 * n_asked, None, 2, 0, 1, True)
        return [InterfaceStatistics("eth0", 100 * n_asked, 7 * n_asked, n_asked * n_asked, 2, 1, True), quiet]

    interfaces = [*INTERFACES, Interface(1, 0, 1, 65535, "", name="eth1")]
    kept = KeptPackets(str(tmp_path / "ring.pcapng"), Origin(lambda: interfaces, statistics, "the test"), Ring(n_bytes=2000))
    run(Pieces(DATA), Engine(), [kept])
    files = [facts for path in kept.paths for facts in frames_of(path)[1].files]
    assert len(files) > 3
    for place, facts in enumerate(files):
        assert [one.name for one in facts.interfaces] == ["eth0", "eth1"]
        busy, quiet = facts.statistics
        assert (busy.received, busy.dropped_by_system) == (100, 9 if place == 0 else 7)
        assert busy.dropped_by_interface == 2 * place + 1
        assert (quiet.received, quiet.dropped_by_system, quiet.dropped_by_interface) == (3, None, 2 if place == 0 else 0)


def test_a_ring_goes_on_when_somebody_moves_a_file_away(tmp_path: Path):
    kept = KeptPackets(str(tmp_path / "ring.pcapng"), ORIGIN, Ring(n_bytes=2000, keep=2))
    Path(kept.paths[0]).rename(tmp_path / "moved")
    run(Pieces(DATA), Engine(), [kept])
    assert kept.notes == []
    assert int(kept.paths[-1].split("_")[-2]) > 3


def test_a_file_that_cannot_be_ended_is_the_last_one_of_a_ring(tmp_path: Path):
    kept = KeptPackets(str(tmp_path / "ring.pcapng"), ORIGIN, Ring(n_bytes=4000))
    with files_up_to(3000):
        run(Pieces(DATA), Engine(), [kept])
    (note,) = kept.notes
    assert "no more packets are kept" in note
    assert list(tmp_path.iterdir()) == list(kept.paths) == []


def test_the_room_for_secrets_is_no_part_of_the_size_of_a_file(tmp_path: Path):
    plain = KeptPackets(str(tmp_path / "plain.pcapng"), ORIGIN, Ring(n_bytes=2000))
    secret = KeptPackets(str(tmp_path / "secret.pcapng"), ORIGIN, Ring(n_bytes=2000), material=Engine().material)
    run(Pieces(DATA), Engine(), [plain, secret])
    assert len(plain.paths) == len(secret.paths)


def test_without_room_the_run_goes_on(tmp_path: Path):
    kept = KeptPackets(str(tmp_path / "kept.pcapng"), ORIGIN)
    engine = Engine()
    with files_up_to(3000):
        run(Pieces(DATA, 100), engine, [kept])
    assert engine.frames == len(packetise(talk()))
    (note,) = kept.notes
    assert "File too large" in note


def test_a_file_without_room_for_its_first_blocks_is_removed(tmp_path: Path):
    kept = KeptPackets(str(tmp_path / "kept.pcapng"), ORIGIN)
    with files_up_to(50):
        run(Pieces(DATA), Engine(), [kept])
    assert len(kept.notes) == 1
    assert list(tmp_path.iterdir()) == list(kept.paths) == []


def test_a_comment_is_at_the_next_packet(tmp_path: Path):
    path = tmp_path / "kept.pcapng"
    kept = KeptPackets(str(path), ORIGIN)
    kept.comment("eth0 went down")
    kept.comment("eth0 came back")
    run(Pieces(DATA), Engine(), [kept])
    (facts,) = frames_of(path)[1].files
    assert facts.comments == ((1, "eth0 went down\neth0 came back"),)


def wanted(line: bytes) -> bool:
    """Whether a line of a key log decrypts packets."""
    return not line.startswith(b"#") and b"EXPORTER" not in line


def test_each_file_of_a_ring_has_the_secrets_of_the_sessions_with_packets_in_it(tmp_path: Path):
    """Both sessions stay open, and one comes after the other."""
    talks = [talk_of([(0, b"question"), (1, b"answer" * 1000)], close=False) for _ in range(2)]
    segments = [one for number, made in enumerate(talks) for one in packetise(made.flights, ports=(50000 + number, 443))[:-4]]
    keylog = KeyLog()
    keylog.feed("".join(made.keylog for made in talks).encode(), "keys")
    engine = Engine(keylog=keylog)
    path = str(tmp_path / "ring.pcapng")
    kept = KeptPackets(path, ORIGIN, Ring(n_bytes=3000), engine.material, open_sessions_of(engine))
    run(Pieces(pcap(segments)), engine, [kept])
    lines = [{line for line in made.keylog.encode().splitlines() if wanted(line)} for made in talks]
    found = [
        {line for _, block in frames_of(path)[1].secrets for line in block.split(b"\n") if wanted(line)} - {b""}
        for path in kept.paths
    ]
    assert found[0] == lines[0]
    assert found[-2] == lines[1]
    assert all(found)


def test_secrets_are_before_the_packets_and_where_there_is_no_room_behind_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    talks = [talk_of([(0, b"question"), (1, b"answer")]) for _ in range(4)]
    data = pcap([one for number, made in enumerate(talks) for one in packetise(made.flights, ports=(50000 + number, 443))])
    lines = {line for made in talks for line in made.keylog.encode().splitlines() if wanted(line)}
    n_blocks = []
    for room in (1 << 18, 1000, 1):
        monkeypatch.setattr(kept_packets, "ROOM", room)
        path = tmp_path / f"{room}.pcapng"
        keylog = KeyLog()
        keylog.feed("".join(made.keylog for made in talks).encode(), "keys")
        engine = Engine(keylog=keylog)
        # As on a slow link: the sessions end one by one.
        engine.connections.longest_wait = 0
        run(Pieces(data, 200), engine, [KeptPackets(str(path), ORIGIN, material=engine.material)])
        _, reader = frames_of(path)
        blocks = [block for _, block in reader.secrets]
        found = {line for block in blocks for line in block.split(b"\n") if line}
        assert {line for line in found if wanted(line)} == lines
        assert len(blocks[0]) == room
        n_blocks.append(len(blocks))
    assert n_blocks == [1, 4, 5]
