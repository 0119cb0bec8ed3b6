import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.validation.capture_bytes import cut_inside, flipped, packets_in, tcp_payload, with_length_of, without
from analyzer.validation.material import Material


def packets_by_the_analyzer(path: str) -> list[bytes]:
    reader, found = CaptureReader([path]), []
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            frame = packet_reader.frame
            found.append(bytes(frame.data[frame.start : frame.end]))
    return found


def test_both_readers_find_the_same_packets(material: Material):
    formats = set()
    for one in material.captures:
        with open(one.path, "rb") as file:
            content = file.read()
        formats.add(content[:4])
        places = packets_in(content)
        assert [content[place.data : place.data + place.size] for place in places] == packets_by_the_analyzer(one.path)
    assert len(formats) >= 3


def test_copies_are_changed_in_one_place(material: Material):
    with open(material.capture("tls13-x25519").path, "rb") as file:
        content = file.read()
    places = packets_in(content)
    assert len(packets_in(without(content, places[3]))) == len(places) - 1
    assert places[3].start < len(cut_inside(content, places[3])) < places[3].end
    assert [at for at, pair in enumerate(zip(content, flipped(content, 900), strict=True)) if len(set(pair)) == 2] == [900]
    assert with_length_of(content, places[3], content[places[3].length_at :][:4]) == content
    assert tcp_payload(content, places[0]) == b""
    assert tcp_payload(content, places[3])[:3] == b"\x16\x03\x01"


def test_other_files_are_refused():
    with pytest.raises(ValueError, match="neither pcap nor pcapng"):
        packets_in(b"\x1f\x8b\x08\x00")
