import pytest

from analyzer.capture.pcap_header import FORMATS, read_pcap_header

TAIL = bytes(8) + (262144).to_bytes(4, "little")


@pytest.mark.parametrize(("minor", "swapped"), [(4, 0), (3, 1), (2, 2)])
def test_files_before_version_2_4_have_their_lengths_in_another_order(minor, swapped):
    data = b"\xd4\xc3\xb2\xa1" + bytes([2, 0, minor, 0]) + TAIL + (1).to_bytes(4, "little")
    header = read_pcap_header(data, 3)
    assert (header.swapped, header.n_record, header.section.version) == (swapped, 16, (2, minor))
    assert (header.interface.number, header.interface.link_type, header.interface.snap_length) == (3, 1, 262144)


def test_the_link_type_may_tell_the_length_of_a_checksum():
    data = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + TAIL + (0x24000001).to_bytes(4, "little")
    interface = read_pcap_header(data, 0).interface
    assert (interface.link_type, interface.fcs_length) == (1, 4)


def test_the_first_bytes_tell_format_and_byte_order():
    assert FORMATS[b"\xa1\xb2\x3c\x4d"] == ("nanosecond pcap", "big")
    assert read_pcap_header(b"\x34\xcd\xb2\xa1\x02\x00\x04\x00" + bytes(16), 0).n_record == 24
