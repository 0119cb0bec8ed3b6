"""Who owns the connections of other network namespaces: those of containers, as seen from the machine that runs them.

A container usually has its own network namespace, and its packets pass a bridge of the machine. sock_diag answers only for the
namespace in which it is asked. But /proc/PID/net/tcp (proc_net(5)) lists the connections of the namespace of that process, with
the inode number of each socket and the user id of its owner. So one process of each namespace is enough. Its addresses are
words of 32 bits in the byte order of the machine, in hex.

To see which namespace a process is in (/proc/PID/ns/net), a process needs CAP_SYS_PTRACE. Without it, this finds nothing.
"""

import os
import sys
from time import monotonic

from analyzer.capture.processes.socket_diagnostics import Owner

MOST_NAMESPACES = 64
"""Namespaces that are searched."""

_MOST_BYTES = 1 << 20
"""Bytes of one table that are read: about 7,000 connections."""

_REST = 10
"""How many times as long as reading the tables took they are not read again."""

_LEAST_REST = 0.02
"""Seconds for which the tables are not read again, at least."""

_FRESH = 2.0
"""Seconds after which the namespaces are looked for again."""

_TIME_WAIT, _CLOSED, _LISTEN = "06", "07", "0A"


class NamespaceSockets:
    """The connections of the network namespaces other than that of this process."""

    def __init__(self, proc: str = "/proc") -> None:
        """proc: where the proc file system is mounted."""
        self._proc = proc
        self._witnesses: list[int] = []
        self._next_look = 0.0
        self._next_read = 0.0
        self._owners: dict[bytes, Owner] = {}

    def owner(self, key: bytes, end: int) -> Owner | None:
        """Return who owns the socket at one end of a TCP connection. The parameters are those of `SocketDiagnostics.owner`."""
        half = (len(key) - 4) >> 1
        if end:
            key = key[half : 2 * half] + key[:half] + key[2 * half + 2 :] + key[2 * half : 2 * half + 2]
        found = self._owners.get(key)
        now = monotonic()
        if found is None and now >= self._next_read:
            self._read_tables(now)
            self._next_read = monotonic() + max(_LEAST_REST, _REST * (monotonic() - now))
            found = self._owners.get(key)
        return found

    def _read_tables(self, now: float) -> None:
        if now >= self._next_look:
            self._witnesses = self._find_witnesses()
            self._next_look = now + _FRESH
        self._owners = {}
        for pid in self._witnesses:
            for name in ("tcp", "tcp6"):
                try:
                    with open(f"{self._proc}/{pid}/net/{name}", "rb") as file:
                        self._owners |= connections_in(file.read(_MOST_BYTES).decode("ascii", "replace"))
                except OSError:  # it has ended
                    continue

    def _find_witnesses(self) -> list[int]:
        """Return one process of each other namespace."""
        found: dict[str, int] = {}
        try:
            own = os.readlink(f"{self._proc}/self/ns/net")
            names = os.listdir(self._proc)
        except OSError:
            return []
        for name in names:
            if name.isdigit() and len(found) < MOST_NAMESPACES:
                try:
                    namespace = os.readlink(f"{self._proc}/{name}/ns/net")
                except OSError:  # another user's, or it has ended
                    continue
                if namespace != own:
                    found.setdefault(namespace, int(name))
        return list(found.values())


def connections_in(table: str) -> dict[bytes, Owner]:
    """Read /proc/net/tcp or tcp6: the owners by addresses and ports, as in a packet that the local end sends.

    Sockets that only listen, or belong to nobody any more, are left out.
    """
    owners: dict[bytes, Owner] = {}
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] in (_TIME_WAIT, _CLOSED, _LISTEN):
            continue
        try:
            local, remote = (_end(word) for word in words[1:3])
            owner = Owner(int(words[9]), int(words[7]))
        except ValueError:  # the last line may be cut
            continue
        if owner.inode:
            for plain in {False, len(local[0]) == 16 and local[0].startswith(_MAPPED)}:
                addresses = local[0][12:] + remote[0][12:] if plain else local[0] + remote[0]
                owners[addresses + local[1] + remote[1]] = owner
    return owners


_MAPPED = bytes(10) + b"\xff\xff"
"""How the address of an IPv6 socket begins that has an IPv4 connection (RFC 4291 section 2.5.5.2)."""


def _end(word: str) -> tuple[bytes, bytes]:
    """Return address and port of `0100007F:0050`, in network byte order. Raises ValueError."""
    address, _, port = word.partition(":")
    if len(address) not in (8, 32) or len(port) != 4:
        raise ValueError(word)
    packed = bytes.fromhex(address)
    if sys.byteorder == "little":
        packed = b"".join(packed[place : place + 4][::-1] for place in range(0, len(packed), 4))
    return packed, bytes.fromhex(port)
