"""The handshake bytes of the four encryption levels, where the capture lacks some of them.

Each level has a stream of its own (RFC 9000 section 19.6), so each has its own reader of messages: what is missing of one level
is not filled with bytes of another. Behind a hole it is not known where a message begins. There, a message counts only if
messages follow each other from its first byte to the end of the bytes.
"""

from typing import Any

from analyzer.tls.events import Gap
from analyzer.tls.handshake.message_reader import MessageReader
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    FINISHED,
    HEADER,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
)
from analyzer.tls.quic.stream_reassembly import Reassembly

N_LEVELS = 4

_TYPES = frozenset(
    (
        CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, CLIENT_HELLO, COMPRESSED_CERTIFICATE, ENCRYPTED_EXTENSIONS,
        FINISHED, NEW_SESSION_TICKET, SERVER_HELLO,
    )
)  # fmt: skip


class CryptoLevels:
    """The handshake bytes of a session.

    streams: by level and role (index twice the level plus the role), in order. readers: of messages, by level and role.
    unaligned: levels and roles behind a hole, where it is not known where a message begins.
    """

    __slots__ = ("readers", "streams", "unaligned")

    def __init__(self, tracking: bool) -> None:
        """tracking: see `MessageReader`."""
        self.streams = [Reassembly() for _ in range(2 * N_LEVELS)]
        self.readers = [(MessageReader(tracking), MessageReader(tracking)) for _ in range(N_LEVELS)]
        self.unaligned: set[tuple[int, int]] = set()

    def aligned(self, level: int, role: int, data: bytes) -> bytes:
        """Return the next bytes from where messages begin, behind a hole; all of them elsewhere."""
        if (level, role) in self.unaligned:
            data = data[message_start(data) :]
            if data:
                self.unaligned.discard((level, role))
        return data


def message_start(data: bytes) -> int:
    """Return the first place from which whole messages follow each other up to the end; the end if there is none."""
    end = start = len(data)
    whole = bytearray(end + 1)
    whole[end] = 1
    for pos in range(end - HEADER, -1, -1):
        if data[pos] in _TYPES:
            stop = pos + HEADER + (data[pos + 1] << 16 | data[pos + 2] << 8 | data[pos + 3])
            if pos + HEADER < stop <= end and whole[stop]:  # none of them is empty
                whole[pos] = 1
                start = pos
    return start


def skip_bytes(session: Any, role: int, level: int, length: int, offset: int, frame: int, at: int) -> None:
    """Note in a `QuicSession` that handshake bytes of a level are not in the capture."""
    session.log.add_gap(Gap(role, offset, length, frame))
    handshake = session.handshake
    handshake.readers = session.crypto.readers[level]
    handshake.decrypting = level > 0
    handshake.take(role, b"", length, -1, frame, at)
    handshake.decrypting = False
    if not handshake.readers[role].is_inside():
        session.crypto.unaligned.add((level, role))


def give_up(session: Any, role: int, level: int, frame: int, at: int) -> None:
    """Give up the holes in the handshake bytes of a role and level, and take what is behind them."""
    stream = session.crypto.streams[2 * level + role]
    while stream.waiting > 0:
        offset = stream.next
        length, data = stream.skip()
        skip_bytes(session, role, level, length, offset, frame, at)
        session.take_handshake(role, data, frame, at, level)


def end_levels(session: Any, role: int, frame: int, at: int) -> None:
    """Take what there is of messages that the capture does not have to their ends."""
    handshake = session.handshake
    for level in range(N_LEVELS):
        give_up(session, role, level, frame, at)
        handshake.readers = session.crypto.readers[level]
        if handshake.readers[role].is_inside():
            handshake.decrypting = level > 0
            handshake.lose(role, frame, at)
            handshake.decrypting = False
