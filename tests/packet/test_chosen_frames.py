from pathlib import Path

from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.packet.chosen_frames import mixed_ports, next_chosen
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
    while next_chosen(reader, Packet(), numbers_of(numbers), keys, mixed_ports(keys)):
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


def test_ports_are_those_of_both_directions():
    addresses = bytes((192, 0, 2, 1, 198, 51, 100, 7))
    there, back = addresses + bytes((0x12, 0x34, 0x01, 0xBB)), addresses + bytes((0x01, 0xBB, 0x12, 0x34))
    mixed = 0x1234 ^ 0x01BB
    assert mixed_ports([there]) == mixed_ports([back]) == mixed_ports([there, back])
    assert [place for place, one in enumerate(mixed_ports([there])) if one] == [mixed >> 3]
    assert mixed_ports([there])[mixed >> 3] == 1 << (mixed & 7)
