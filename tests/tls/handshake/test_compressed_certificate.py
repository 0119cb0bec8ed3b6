import os
import zlib
from collections.abc import Callable
from tracemalloc import get_traced_memory, start, stop
from typing import Any

import brotli
import pytest
import zstandard

from analyzer.codec.errors import Malformed
from analyzer.tls.handshake.compressed_certificate import BROTLI, ZLIB, ZSTD, decompress, decompressed
from analyzer.tls.limits import MAX_HANDSHAKE
from analyzer.tls.messages.certificate_tables import Certificate13, CertificateEntry, CompressedCertificate

COMPRESS = {ZLIB: zlib.compress, BROTLI: brotli.compress, ZSTD: zstandard.ZstdCompressor().compress}

DER = b"\x30\x82" + os.urandom(900)
CERTIFICATE = Certificate13(
    certificate_request_context=b"",
    certificate_list=[CertificateEntry(cert_data=DER, extensions=[]), CertificateEntry(cert_data=bytes(5000), extensions=[])],
).write()


def message(algorithm: int, data: bytes, length: int) -> CompressedCertificate:
    read, problems = CompressedCertificate.read(
        CompressedCertificate(algorithm=algorithm, uncompressed_length=length, compressed_certificate_message=data).write()
    )
    assert problems == []
    return read


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_what_was_compressed_comes_out(algorithm: int) -> None:
    certificate, problems = decompressed(message(algorithm, COMPRESS[algorithm](CERTIFICATE), len(CERTIFICATE)))
    assert problems == []
    assert certificate is not None
    assert [entry.cert_data for entry in certificate.certificate_list] == [DER, bytes(5000)]


@pytest.mark.parametrize("algorithm", COMPRESS)
@pytest.mark.parametrize("difference", [-1, 1, -len(CERTIFICATE)])
def test_another_length_than_declared_is_malformed(algorithm: int, difference: int) -> None:
    with pytest.raises(Malformed, match=r"bytes come out|no end"):
        decompress(algorithm, COMPRESS[algorithm](CERTIFICATE), len(CERTIFICATE) + difference)


DECOMPRESS: dict[int, tuple[Any, str, int]] = {
    ZLIB: (zlib, "decompressobj", 1001),
    BROTLI: (brotli, "Decompressor", 1 << 15),
    ZSTD: (zstandard, "ZstdDecompressor", 1001),
}
"""What the libraries decompress with, and the most that may come out where 1000 bytes are declared: brotli gives blocks."""


class Counted:
    """A decompressor object of a library: passes on all calls and counts the bytes that come out."""

    n_bytes = 0

    def __init__(self, made: Any) -> None:
        self.made = made

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.made, name)
        return self._counting(found) if name in ("decompress", "process", "read", "stream_reader", "__enter__") else found

    def __enter__(self) -> "Counted":
        return Counted(self.made.__enter__())

    def __exit__(self, *problem: object) -> None:
        self.made.__exit__(*problem)

    @staticmethod
    def _counting(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            came = method(*arguments, **options)
            if not isinstance(came, bytes):
                return Counted(came)
            Counted.n_bytes += len(came)
            return came

        return call


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_a_decompression_bomb_is_stopped(algorithm: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not much more than the declared length comes out, and nothing if that length is rejected."""
    bomb = COMPRESS[algorithm](bytes(24 << 20))
    library, name, most = DECOMPRESS[algorithm]
    make = getattr(library, name)
    monkeypatch.setattr(library, name, lambda **options: Counted(make(**options)))
    monkeypatch.setattr(Counted, "n_bytes", 0)
    start()
    with pytest.raises(Malformed, match="more than 1000 bytes"):
        decompress(algorithm, bomb, 1000)
    assert get_traced_memory()[1] < 4 << 20
    stop()
    n_bytes = Counted.n_bytes
    assert 1000 < n_bytes <= most
    with pytest.raises(Malformed, match="more than the limit"):
        decompress(algorithm, bomb, MAX_HANDSHAKE + 1)
    with pytest.raises(Malformed, match="are no certificates"):
        decompress(algorithm, bomb[:4096], MAX_HANDSHAKE)
    assert Counted.n_bytes == n_bytes


@pytest.mark.parametrize("algorithm", COMPRESS)
def test_damage_is_a_parse_error_and_not_an_exception(algorithm: int) -> None:
    whole = COMPRESS[algorithm](CERTIFICATE)
    for data in (whole[:-5], whole[:3], b"\xff" * 40, b"\0", os.urandom(60)):
        certificate, problems = decompressed(message(algorithm, data, len(CERTIFICATE)))
        assert (certificate, len(problems)) == (None, 1)


def test_an_unknown_algorithm_is_named() -> None:
    assert str(decompressed(message(7, b"abc", 3))[1][0]) == "algorithm at 0x0: 7 is no known compression"


def test_what_comes_out_and_is_no_certificate_message() -> None:
    junk = b"\x00\x00\x00\x09" + b"\x00\x00\x20abc"
    certificate, problems = decompressed(message(ZLIB, zlib.compress(junk), len(junk)))
    assert certificate is not None
    assert problems
    assert all(problem.field.startswith("compressed_certificate_message.") for problem in problems)
