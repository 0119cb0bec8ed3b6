"""Asks Linux who owns the socket of a connection: sock_diag(7) over netlink.

A request names a connection by its two addresses and ports, as seen from this machine, and the kernel answers with the inode
number of the socket and the user id of its owner (`struct inet_diag_msg`). No right is needed. Two answers are of no use. If
there is no such connection, the kernel names the socket that listens on the port, even for packets between other machines. And
a connection that waits for its last packets to die (TIME_WAIT) belongs to nobody any more.

A connection that a server has not accepted yet has no inode. Then the listening socket is asked for, and its owner counts.
Requests see only the network namespace in which this object was created.
"""

import socket
import struct
import sys
from typing import NamedTuple

TCP = 6

_SOCK_DIAG = 4
"""NETLINK_SOCK_DIAG."""
_BY_FAMILY = 20
"""SOCK_DIAG_BY_FAMILY: the type of requests and answers."""
_REQUEST = 1
"""NLM_F_REQUEST."""
_LISTEN, _TIME_WAIT, _CLOSED = 10, 6, 7
_ALL_STATES = 0xFFFFFFFF
_NO_COOKIE = b"\xff" * 8

_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port id."""
_ANSWER = struct.Struct("=4B4s16s16sI8s5I")
"""struct inet_diag_msg: family, state, timer, retransmissions; ports, source, destination, interface, cookie; five counters,
the last two of them user id and inode."""

_WAIT = 0.2
"""Seconds that an answer may take. The kernel answers within the call that sends the request."""


class Owner(NamedTuple):
    """inode: of the socket, 0 if it is not attached to a process. uid: the user id of its owner, -1 if that is not known."""

    inode: int
    uid: int


class SocketDiagnostics:
    """A netlink socket that answers questions about connections of this machine. Raises OSError if there is no sock_diag."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise OSError("sock_diag is an interface of Linux")
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
        self._socket.settimeout(_WAIT)
        self._socket.bind((0, 0))
        self._sequence = 0

    def owner(self, key: bytes, end: int, protocol: int = TCP) -> Owner | None:
        """Return who owns the socket at one end of a connection, None if that is not a socket of this machine.

        key: addresses and ports of a packet, as in `Packet.key`. end: 0 for its source, 1 for its destination.
        """
        half = (len(key) - 4) >> 1
        addresses, ports = (key[:half], key[half : 2 * half]), (key[2 * half : 2 * half + 2], key[2 * half + 2 :])
        family = socket.AF_INET if half == 4 else socket.AF_INET6
        source, destination = addresses[end], addresses[1 - end]
        found = self._ask(family, protocol, ports[end] + ports[1 - end], source, destination)
        if found is None or found[0] in (_LISTEN, _TIME_WAIT, _CLOSED):
            return None
        _, inode, uid = found
        if inode:
            return Owner(inode, uid)
        listening = self._ask(family, protocol, ports[end] + b"\0\0", source, destination)
        if listening is None or listening[0] != _LISTEN:
            return Owner(0, -1)
        return Owner(*listening[1:])

    def close(self) -> None:
        """Close the netlink socket."""
        self._socket.close()

    def _ask(self, family: int, protocol: int, ports: bytes, source: bytes, destination: bytes) -> tuple[int, int, int] | None:
        """Return state, inode and user id of the socket with these addresses and ports, None if there is none."""
        self._sequence += 1
        names = ports + source.ljust(16, b"\0") + destination.ljust(16, b"\0") + bytes(4) + _NO_COOKIE
        body = struct.pack("=4BI", family, protocol, 0, 0, _ALL_STATES) + names
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, self._sequence, 0) + body)
        while True:
            try:
                answer = self._socket.recv(8192)
            except TimeoutError:
                return None
            if len(answer) < _HEADER.size:
                return None
            _, kind, _, sequence, _ = _HEADER.unpack_from(answer)
            if sequence != self._sequence:  # of a request whose answer came too late
                continue
            if kind != _BY_FAMILY or len(answer) < _HEADER.size + _ANSWER.size:
                return None
            fields = _ANSWER.unpack_from(answer, _HEADER.size)
            return fields[1], fields[-1], fields[-2]
