"""`slice_bytes` is the same as slicing, but raises an error where slicing would silently return less."""

import pytest

from analyzer.codec.byte_slices import find_byte, slice_bytes


def test_every_range_of_a_few_bytes() -> None:
    data = b"abcd"
    for start in range(-2, 7):
        for end in range(-2, 7):
            if 0 <= start <= end <= len(data):
                assert slice_bytes(data, start, end) == data[start:end]
            else:
                with pytest.raises(IndexError):
                    slice_bytes(data, start, end)


def test_zero_bytes_are_bytes() -> None:
    assert slice_bytes(b"a\0b\0", 1, 4) == b"\0b\0"


def test_the_first_byte_of_a_value_in_every_range() -> None:
    data = b"a\xffb\xff\0"
    for start in range(-2, 8):
        for end in range(-2, 8):
            for value in (0, 0x61, 0xFF, 0x7A):
                if 0 <= start <= end <= len(data):
                    assert find_byte(data, value, start, end) == data.find(value, start, end)
                else:
                    with pytest.raises(IndexError):
                        find_byte(data, value, start, end)
