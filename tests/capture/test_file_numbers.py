import pytest

from analyzer.capture.file_numbers import read_u32


def test_four_bytes_are_a_number_in_either_order():
    assert read_u32(b"\x00\x01\x02\x03\xff", 1, True) == 0xFF030201
    assert read_u32(b"\xfe\x01\x02\x03", 0, False) == 0xFE010203


@pytest.mark.parametrize("at", [-1, 1, 2**40])
def test_outside_the_bytes_there_is_no_number(at):
    with pytest.raises(IndexError):
        read_u32(bytes(4), at, True)
