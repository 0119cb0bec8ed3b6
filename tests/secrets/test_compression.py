"""Compressed records: one zlib stream, with a limit; it ends when a record is missing."""

import zlib

import pytest

from analyzer.secrets.compression import LARGEST_PLAINTEXT, Inflater
from analyzer.secrets.decryption_error import DecryptionError


def deflate(*records):
    stream = zlib.compressobj()
    return [stream.compress(record) + stream.flush(zlib.Z_SYNC_FLUSH) for record in records]


def test_records_of_one_stream():
    plain = [b"hello " * 50, b"", b"hello again", bytes(LARGEST_PLAINTEXT)]
    inflater = Inflater()
    assert [inflater.inflate(record) for record in deflate(*plain)] == plain


def test_a_record_may_not_become_larger_than_a_record():
    inflater = Inflater()
    bomb, after = deflate(bytes(1 << 24), b"x")
    for record in (bomb, after):
        with pytest.raises(DecryptionError, match="malformed: the record inflates to more than 16384 bytes"):
            inflater.inflate(record)


def test_what_is_no_stream():
    with pytest.raises(DecryptionError, match="malformed"):
        Inflater().inflate(b"never compressed")


def test_after_a_gap_nothing_inflates():
    inflater = Inflater()
    first, _, third = deflate(b"one", b"two", b"three")
    assert inflater.inflate(first) == b"one"
    inflater.lose()
    with pytest.raises(DecryptionError, match="missing_segment"):
        inflater.inflate(third)
