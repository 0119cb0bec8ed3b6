import pylsqpack
import pytest

from analyzer.application.qpack_instructions import (
    COPIED_MAX,
    ENTRY_COST,
    TABLE_MAX,
    EncoderStream,
    prefix_integer,
    section_limit,
)
from analyzer.codec.errors import Malformed

CAPACITY = bytes.fromhex("3fbd01")
BY_STATIC_NAME = bytes.fromhex("c00f7777772e6578616d706c652e636f6d")
LITERAL = bytes.fromhex("4a637573746f6d2d6b65790c637573746f6d2d76616c7565")
DUPLICATE = b"\x02"
STREAM = CAPACITY + BY_STATIC_NAME + LITERAL + DUPLICATE


def test_instructions_are_found_however_the_bytes_are_cut() -> None:
    """The examples are those of RFC 9204 appendix B."""
    ends = {len(CAPACITY), len(CAPACITY + BY_STATIC_NAME), len(STREAM) - 1, len(STREAM)}
    for n in range(1, len(STREAM) + 1):
        stream = EncoderStream()
        read = 0
        for i in range(0, len(STREAM), n):
            read += len(stream.feed(STREAM[i : i + n]))
            assert read == max([0, *(end for end in ends if end <= i + n)])
        assert (stream.n_inserts, stream.capacity) == (3, 220)
        assert stream.entry_max >= ENTRY_COST + len("custom-keycustom-value")


def test_the_limit_of_an_entry_holds_for_real_ones() -> None:
    encoder = pylsqpack.Encoder()
    stream = EncoderStream()
    stream.feed(encoder.apply_settings(4096, 16))
    for n in range(200):
        fields = [(b"x-%d" % (n % 7), b"e" * (n % 90)), (b"name", b"\xff" * (n % 11)), (b":path", b"/%d" % n)]
        instructions, section = encoder.encode(4 * n, fields)
        stream.feed(instructions)
        assert section_limit(section, stream.entry_max) >= sum(len(name) + len(value) + ENTRY_COST for name, value in fields)
    assert 20 < stream.n_inserts < 200


def test_a_section_that_is_cut_has_a_limit_too() -> None:
    section = pylsqpack.Encoder().encode(0, [(b":path", b"/index"), (b"name", b"value"), (b"other", b"\xff" * 300)])[1]
    limits = [section_limit(section[:n], 100) for n in range(len(section) + 1)]
    assert limits == sorted(limits)
    assert section_limit(b"\3\1" + b"\x80" * 50 + b"\x10" * 50, 4096) == 100 * 4096


@pytest.mark.parametrize(
    "data",
    [
        b"\x3f" + b"\xff" * 10,
        b"\x3f\xff\xff\xff\xff\x0f",  # a table of 4 GiB
        b"\xc0\x7f\xff\xff\xff\xff\x0f",  # a string of that size
        b"\x5f\xff\xff\xff\xff\x0f",
    ],
)
def test_a_number_that_is_too_large_is_an_error_at_once(data: bytes) -> None:
    with pytest.raises(Malformed):
        EncoderStream().feed(data)


def test_duplicates_cannot_copy_without_limit() -> None:
    stream = EncoderStream()
    size = TABLE_MAX // 2
    length = (size - 127).to_bytes(3, "little")
    numbers = [length[0] & 0x7F | 0x80, (size - 127) >> 7 & 0x7F | 0x80, (size - 127) >> 14 & 0x7F | 0x80, 0]
    stream.feed(b"\xc0\x7f" + bytes(numbers) + bytes(size))
    assert stream.n_inserts == 1
    with pytest.raises(Malformed):
        stream.feed(bytes(COPIED_MAX // size + 1))


def test_integers_have_a_prefix_of_any_size() -> None:
    """RFC 7541 appendix C.1, which RFC 9204 refers to."""
    assert prefix_integer(b"\x0a", 0, 5) == (10, 1)
    assert prefix_integer(b"\xff\x9a\x0a", 0, 5) == (1337, 3)
    assert prefix_integer(b"\x2a", 0, 8) == (42, 1)
    assert prefix_integer(b"\xff\x9a", 0, 5) is None
    assert prefix_integer(b"", 0, 5) is None
