from pathlib import Path

from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.packet.chosen_frames import next_chosen
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def reader_of(path: Path) -> PacketReader:
    reader = PacketReader(Frame())
    reader.feed(path.read_bytes())
    return reader


def numbers_of(chosen: set[int]) -> bytearray:
    numbers = bytearray(max(chosen, default=0) // 8 + 1)
    for number in chosen:
        numbers[number >> 3] |= 1 << (number & 7)
    return numbers


def chosen_of(path: Path, numbers: set[int], keys: dict[bytes, int]) -> list[int]:
    reader, found = reader_of(path), []
    while next_chosen(reader, Packet(), numbers_of(numbers), keys):
        found.append(reader.frame.number)
    return found


def test_frames_are_chosen_by_number_and_by_connection(repository: Path):
    demo = repository / "captures" / "demo.pcapng"
    reader, packet = reader_of(demo), Packet()
    by_key: dict[bytes, list[int]] = {}
    while reader.advance():
        frame = reader.frame
        read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        by_key.setdefault(packet.key(), []).append(frame.number)
    assert chosen_of(demo, set(), {}) == []
    assert chosen_of(demo, {1, 8, 9, 213}, {}) == [1, 8, 9, 213]
    key = max((one for one in by_key if one), key=lambda one: len(by_key[one]))
    assert chosen_of(demo, {1}, {key: 1 << 40}) == sorted({1, *by_key[key]})
    assert chosen_of(demo, {1}, {key: by_key[key][2]}) == sorted({1, *by_key[key][:3]})
