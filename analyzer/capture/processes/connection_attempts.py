"""Sees the connections that begin: the TCP segments with SYN and without ACK (RFC 9293 section 3.5) of all interfaces.

A capture through a ring hands packets over some milliseconds late, which is good for everything but for one question: whose
connection is this? curl may have ended by then. So this uses a packet(7) socket of its own, whose filter lets only such
segments pass, and which is read at once. It is of the kind SOCK_DGRAM: what it delivers begins with the IP header. That header
is read here by hand, because this runs with rights, and needs four fields of it.
"""

import contextlib
import ctypes
import socket
import struct
from collections.abc import Sequence

MOST_AT_ONCE = 32
"""Segments that one call of `take` returns."""

_ALL_PROTOCOLS = 3
"""ETH_P_ALL: only with it are outgoing packets delivered."""

_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER."""

_BUFFER = 1 << 17
"""Bytes of the receive buffer: about 150 segments. What is beyond it is lost, as with too many connections at once."""

_HEADER_BYTES = 128

# Classic BPF (Documentation/networking/filter.rst of Linux): code, jump if true, jump if false, operand. Only the first
# fragment of a datagram has a TCP header. An IPv6 packet with extension headers is left out.
_FILTER = (
    (0x30, 0, 0, 0),  # first byte
    (0x54, 0, 0, 0xF0),
    (0x15, 0, 8, 0x40),  # version 4, else go to 11
    (0x30, 0, 0, 9),  # protocol
    (0x15, 0, 13, 6),  # TCP
    (0x28, 0, 0, 6),  # fragment offset
    (0x45, 11, 0, 0x1FFF),
    (0xB1, 0, 0, 0),  # X = length of the header
    (0x50, 0, 0, 13),  # flags of TCP
    (0x54, 0, 0, 0x12),
    (0x15, 6, 7, 0x02),  # SYN without ACK
    (0x15, 0, 6, 0x60),  # version 6
    (0x30, 0, 0, 6),  # next header
    (0x15, 0, 4, 6),  # TCP
    (0x30, 0, 0, 53),  # flags of TCP
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),  # SYN without ACK
    (0x06, 0, 0, _HEADER_BYTES),  # accept so many bytes
    (0x06, 0, 0, 0),  # reject
)


class ConnectionAttempts:
    """The connections that begin on this machine, or to it. Raises OSError without CAP_NET_RAW, or if not on Linux.

    socket: becomes readable when a connection begins.
    """

    def __init__(self) -> None:
        if not hasattr(socket, "AF_PACKET"):
            raise OSError("packet sockets are an interface of Linux")
        protocol = socket.htons(_ALL_PROTOCOLS)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, protocol)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            _attach(self.socket, _FILTER)
            self.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):  # what came before there was a filter
                while True:
                    self.socket.recv(1)
        except OSError:
            self.socket.close()
            raise

    def take(self) -> list[bytes]:
        """Return the keys (`Packet.key`) of the connections that have begun, at most MOST_AT_ONCE, each once. Does not wait."""
        keys: dict[bytes, None] = {}
        for _ in range(MOST_AT_ONCE):
            try:
                key = key_of(self.socket.recv(_HEADER_BYTES))
            except BlockingIOError:
                break
            except OSError:  # an interface went down: that is said once
                continue
            if key is not None:
                keys[key] = None
        return list(keys)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def key_of(packet: bytes) -> bytes | None:
    """Return addresses and ports of a TCP segment, from its IP header on; None if it is too short or is none."""
    if len(packet) < 40:
        return None
    version = packet[0] >> 4
    if version == 4:
        ports = 4 * (packet[0] & 15)
        if ports < 20 or packet[9] != 6 or len(packet) < ports + 4:
            return None
        return packet[12:20] + packet[ports : ports + 4]
    if version == 6 and packet[6] == 6 and len(packet) >= 44:
        return packet[8:40] + packet[40:44]
    return None


def _attach(target: socket.socket, instructions: Sequence[tuple[int, int, int, int]]) -> None:
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(program, len(program))
    target.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(instructions), ctypes.addressof(buffer)))
