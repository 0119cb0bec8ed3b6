"""Finds out which handshake bytes in Initial packets are the server's, where others have sent some too (RFC 9000 section 7.2).

Whoever sees the first Initial of a client can make Initial packets of the server (RFC 9001 section 5.2), with another
ServerHello and before the real one. The client goes on with one of them. It takes the connection ID of its sender for its next
packets, and acknowledges its packet numbers. So all of them are kept until the client has answered. If its answer fits none or
several, none is believed.
"""

from __future__ import annotations

from analyzer.tls.quic.stream_reassembly import Reassembly

MAX_ANSWERS = 64
"""Answers to one ClientHello that are kept, of which all but one are forged."""

LONGEST_ANSWER = 1 << 16
"""Handshake bytes in Initial packets of a server. A ServerHello with post-quantum keys has some two thousand."""

MAX_NUMBERS = 256
"""Packet numbers and pieces of one answer that are kept."""


class ServerAnswer:
    """One answer, as its packets fit together.

    source: the connection ID of its sender. opens: the connection ID and version from which its keys come. pieces: its bytes as
    they came, with their offsets. numbers: of its packets. stream: puts the bytes in order. ready: those that are in order,
    with frame and time. followed: whether the client sent to its connection ID; acknowledged: whether it got a packet of it.
    """

    __slots__ = ("acknowledged", "followed", "numbers", "opens", "pieces", "ready", "source", "stream")

    def __init__(self, source: bytes, opens: tuple[bytes, int]) -> None:
        self.source = source
        self.opens = opens
        self.pieces: list[tuple[int, bytes]] = []
        self.numbers: set[int] = set()
        self.stream: Reassembly = Reassembly()
        self.ready: list[tuple[bytes, int, int]] = []
        self.followed = False
        self.acknowledged = False

    def contradicts(self, pieces: list[tuple[int, bytes]]) -> bool:
        """Return whether bytes are others than those at the same offsets."""
        for offset, data in pieces:
            for begin, known in self.pieces:
                first, last = max(offset, begin), min(offset + len(data), begin + len(known))
                if first < last and data[first - offset : last - offset] != known[first - begin : last - begin]:
                    return True
        return False

    def take(self, number: int, pieces: list[tuple[int, bytes]], frame: int, at: int) -> None:
        """Take the bytes of a packet."""
        if len(self.numbers) < MAX_NUMBERS:
            self.numbers.add(number)
        for offset, data in pieces:
            if offset + len(data) <= LONGEST_ANSWER and len(self.pieces) < MAX_NUMBERS:
                self.pieces.append((offset, data))
                ready = self.stream.feed(offset, data)
                if ready:
                    self.ready.append((ready, frame, at))


class ServerAnswers:
    """The answers to one client.

    found: all, until one is believed; then only that. settled: the one that is believed. doubted: whether any contradicts
    another one. over: whether the client has answered.
    """

    __slots__ = ("doubted", "found", "over", "settled")

    def __init__(self) -> None:
        self.found: list[ServerAnswer] = []
        self.settled: ServerAnswer | None = None
        self.doubted = False
        self.over = False

    def take(
        self, source: bytes, opens: tuple[bytes, int], number: int, pieces: list[tuple[int, bytes]], frame: int, at: int
    ) -> ServerAnswer | None:
        """Take the handshake bytes of a packet. Return the answer that they belong to, None if that is none that counts."""
        for one in self.found:
            if one.source == source and one.opens == opens and not one.contradicts(pieces):
                one.take(number, pieces, frame, at)
                return one
        self.doubted = self.doubted or bool(self.found)
        if self.over or len(self.found) >= MAX_ANSWERS:
            return None
        one = ServerAnswer(source, opens)
        one.take(number, pieces, frame, at)
        self.found.append(one)
        return one

    def acknowledge(self, ranges: list[tuple[int, int]]) -> None:
        """Take an ACK of the client."""
        for one in self.found:
            one.acknowledged = one.acknowledged or any(
                first <= number <= last for first, last in ranges for number in one.numbers
            )

    def follow(self, destination: bytes) -> bool:
        """Return whether the client sends to the connection ID of an answer."""
        followed = False
        for one in self.found:
            if one.source == destination:
                one.followed = followed = True
        return followed

    def is_followed(self) -> bool:
        """Return whether the client has sent to the connection ID of an answer."""
        return any(one.followed for one in self.found)

    def settle(self) -> ServerAnswer | None:
        """Return the answer that the client goes on with, and forget the others; None if that is not known."""
        self.over = True
        if self.settled is None and self.found:
            believed = self.found
            for proofs in (2, 1):
                fitting = [one for one in self.found if one.followed + one.acknowledged == proofs]
                if fitting:
                    believed = fitting
                    break
            if len(believed) == 1:
                self.settled = believed[0]
            self.found = [] if self.settled is None else [self.settled]
        return self.settled
