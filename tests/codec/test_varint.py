import pytest

from analyzer.codec.varint import VARINT_MAX, read_varint, write_varint

# RFC 9000 appendix A.1
VECTORS = [
    ("c2197c5eff14e88c", 151288809941952652),
    ("9d7f3e7d", 494878333),
    ("7bbd", 15293),
    ("25", 37),
    ("4025", 37),
]


@pytest.mark.parametrize(("data", "value"), VECTORS)
def test_the_examples_of_the_rfc(data: str, value: int) -> None:
    read = bytes.fromhex(data)
    assert read_varint(b"\xff" + read + b"\xff", 1) == (value, 1 + len(read))
    assert all(read_varint(read[:n], 0) is None for n in range(len(read)))


@pytest.mark.parametrize("value", [0, 63, 64, 16383, 16384, (1 << 30) - 1, 1 << 30, VARINT_MAX])
def test_what_is_written_is_read(value: int) -> None:
    written = write_varint(value)
    assert read_varint(written, 0) == (value, len(written))
    assert write_varint(VARINT_MAX) == bytes([255] * 8)


@pytest.mark.parametrize("value", [-1, VARINT_MAX + 1])
def test_a_number_that_does_not_fit_is_an_error(value: int) -> None:
    with pytest.raises(ValueError, match=str(value)):
        write_varint(value)
