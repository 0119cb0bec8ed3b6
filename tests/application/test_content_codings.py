import contextlib
import gzip
import random
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from analyzer.application.content_codings import DECODED_MAX, KNOWN, RATIO_FREE, RATIO_MAX, Stack
from analyzer.codec.errors import Anomaly, Malformed


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(data)


CODERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate),
    ("br", lambda data: brotli.compress(data, quality=4)), ("zstd", zstd),
]  # fmt: skip
SAMPLES = [b"", b"x", b"some text " * 5000, random.Random(3).randbytes(200_000), b"ab" * 3_000_000]


@pytest.mark.parametrize(("name", "code"), CODERS)
@pytest.mark.parametrize("sample", SAMPLES, ids=len)
def test_what_was_coded_comes_back(name: str, code: Callable[[bytes], bytes], sample: bytes) -> None:
    coded = code(sample)
    n_whole = 1 << 30 if len(sample) < RATIO_FREE else 4096
    for n in (n_whole, 1 if len(coded) < 5000 else 777):
        stack = Stack([name])
        if len(sample) > RATIO_FREE and len(coded) * RATIO_MAX < len(sample):
            with pytest.raises(Anomaly):
                [list(stack.decode(coded[i : i + n])) for i in range(0, len(coded), n)]
            continue
        got = b"".join(piece for i in range(0, len(coded), n) for piece in stack.decode(coded[i : i + n]))
        assert got == sample
        assert stack.finished


@pytest.mark.parametrize(("name", "code"), CODERS)
def test_a_truncated_body_is_not_finished(name: str, code: Callable[[bytes], bytes]) -> None:
    coded = code(b"some text " * 300)
    for n in range(len(coded)):
        stack = Stack([name])
        got = b"".join(stack.decode(coded[:n]))
        assert (b"some text " * 300).startswith(got)
        assert not stack.finished


@pytest.mark.parametrize(("name", "code"), CODERS)
def test_mutations_are_malformed_and_nothing_else(name: str, code: Callable[[bytes], bytes]) -> None:
    rng = random.Random(4)
    coded = code(bytes(rng.choices(b"abcdef", k=4000)))
    refused = set()
    for _ in range(200):
        changed = bytearray(coded)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        stack = Stack([name])
        with contextlib.suppress(Malformed):
            b"".join(stack.decode(bytes(changed)))
            continue
        refused.add(bytes(changed))
    assert len(refused) > 10


def test_several_members_and_frames_in_a_row() -> None:
    assert b"".join(Stack(["gzip"]).decode(gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 9)) == b"onetwo"
    assert b"".join(Stack(["zstd"]).decode(zstd(b"one") + zstd(b"two"))) == b"onetwo"
    for name, code in (("deflate", zlib.compress), ("br", brotli.compress), ("gzip", gzip.compress)):
        with pytest.raises(Malformed):
            list(Stack([name]).decode(code(b"one") + b"rubbish"))


def test_codings_on_top_of_each_other() -> None:
    coded = brotli.compress(gzip.compress(b"text" * 1000))
    assert b"".join(Stack(["gzip", "br"]).decode(coded)) == b"text" * 1000


@pytest.mark.parametrize(("name", "code"), CODERS)
def test_bombs_are_stopped_long_before_they_are_decoded(name: str, code: Callable[[bytes], bytes]) -> None:
    coded = code(bytes(100_000_000))
    sizes: list[int] = []
    with pytest.raises(Anomaly):
        sizes.extend(map(len, Stack([name]).decode(coded)))
    assert sum(sizes) <= max(RATIO_FREE, RATIO_MAX * len(coded)) < DECODED_MAX
    assert max(sizes, default=0) <= 1 << 24


def test_the_outer_of_two_codings_can_be_a_bomb_that_the_inner_hides() -> None:
    inner = gzip.compress(b"") * 1_000_000
    with pytest.raises(Anomaly):
        list(Stack(["gzip", "gzip"]).decode(gzip.compress(inner)))


def test_long_windows_of_zstd_are_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    coded = zstandard.ZstdCompressor(compression_params=parameters).compressobj().compress(bytes(1000))
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    coded = stream.compress(bytes(1000)) + stream.flush()
    with pytest.raises(Malformed):
        list(Stack(["zstd"]).decode(coded))


def test_all_known_codings_are_tried_here() -> None:
    assert {name for name, _ in CODERS} == KNOWN
