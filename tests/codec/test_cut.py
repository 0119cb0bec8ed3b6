"""Cutting is slicing, and refuses what slicing would silently shorten."""

import pytest

from analyzer.codec.cut import cut


def test_every_range_of_a_few_bytes() -> None:
    data = b"abcd"
    for start in range(-2, 7):
        for end in range(-2, 7):
            if 0 <= start <= end <= len(data):
                assert cut(data, start, end) == data[start:end]
            else:
                with pytest.raises(IndexError):
                    cut(data, start, end)


def test_zero_bytes_are_bytes() -> None:
    assert cut(b"a\0b\0", 1, 4) == b"\0b\0"
