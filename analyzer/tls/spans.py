"""Hellos as bytes: where their extensions lie, for what is computed over some of these bytes (RFC 9846 section 4.2).

Binders and Encrypted Client Hello cover a hello with a part left out or zeroed, so there the exact place counts and not the
meaning. All hellos are whole handshake messages, with their headers; everything raises `Refused` and nothing else.
"""

from collections.abc import Iterator

from analyzer.secrets.refused import MALFORMED, Refused

HEADER = 4
"""Bytes of a handshake message's header: type and length."""

Span = tuple[int, int, int]
"""An extension's type, and where its data begins and ends."""

_VERSION_AND_RANDOM = 34
_SUITE_AND_COMPRESSION = 3


def extensions_of(hello: bytes, *, answer: bool = False) -> Iterator[Span]:
    """Walk the extensions of a ClientHello, or of a ServerHello as an `answer`."""
    end = len(hello)
    _, pos = take(hello, HEADER, end, _VERSION_AND_RANDOM)
    _, pos = vector(hello, pos, end, 1)
    if answer:
        _, pos = take(hello, pos, end, _SUITE_AND_COMPRESSION)
    else:
        _, pos = vector(hello, pos, end, 2)
        _, pos = vector(hello, pos, end, 1)
    if pos == end:
        return iter(())
    n_bytes, pos = number(hello, pos, end, 2)
    if n_bytes != end - pos:
        raise Refused(MALFORMED, f"the extensions of a hello have {end - pos} bytes and declare {n_bytes}")
    return spans(hello, pos, end)


def spans(data: bytes, pos: int, end: int) -> Iterator[Span]:
    """Walk extensions one after the other."""
    while pos < end:
        kind, pos = number(data, pos, end, 2)
        n_bytes, pos = number(data, pos, end, 2)
        if n_bytes > end - pos:
            raise Refused(MALFORMED, f"an extension of {n_bytes} bytes where {end - pos} are left")
        yield kind, pos, pos + n_bytes
        pos += n_bytes


def take(data: bytes, pos: int, end: int, n_bytes: int) -> tuple[bytes, int]:
    """Give so many bytes, and where they end."""
    if n_bytes > end - pos:
        raise Refused(MALFORMED, f"{n_bytes} bytes are declared where {end - pos} are left")
    return data[pos : pos + n_bytes], pos + n_bytes


def number(data: bytes, pos: int, end: int, width: int) -> tuple[int, int]:
    """Read a number of so many bytes."""
    taken, pos = take(data, pos, end, width)
    return int.from_bytes(taken, "big"), pos


def vector(data: bytes, pos: int, end: int, width: int) -> tuple[bytes, int]:
    """Read bytes behind a length of so many bytes."""
    n_bytes, pos = number(data, pos, end, width)
    return take(data, pos, end, n_bytes)
