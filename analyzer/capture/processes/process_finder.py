"""Finds the local process of a connection: the question of a live run, asked once when a session begins.

The socket comes from sock_diag, or from the tables of other network namespaces; the process that holds it from /proc. On a
connection within one machine both ends are local. Then the client's process is the one that is found, since it opened the
connection. What is asked has to be asked soon: after a connection has ended, nobody knows who had it.
"""

import os
from collections.abc import Callable, Sequence

from analyzer.capture.processes.namespace_sockets import NamespaceSockets
from analyzer.capture.processes.process_identity import Process
from analyzer.capture.processes.process_search import ProcessSearch
from analyzer.capture.processes.socket_diagnostics import Owner, SocketDiagnostics

_MOST_USERS = 1024
"""User names that are remembered."""

_MOST_OPEN = 1024
"""Connections whose socket is known, but whose process is not yet, that are remembered."""


class ProcessFinder:
    """Finds processes with the rights that this process has. Raises OSError where there is no sock_diag."""

    def __init__(self) -> None:
        self._sockets = SocketDiagnostics()
        self._elsewhere = NamespaceSockets()
        self._search = ProcessSearch()
        self._users: dict[int, str] = {}
        self._open: dict[bytes, Owner] = {}

    def find(self, key: bytes) -> Process | None:
        """Return the local process of a TCP connection, None if no end of it is local, or if it has ended.

        key: addresses and ports of a packet of the client, as in `Packet.key`. If the process of a socket was not found, its
        user may be known; `pid` is None then. Ask again later: searches are limited, and go on where the last one ended.
        """
        owner = self._open.pop(key, None) or self._owner(key)
        if owner is None:
            return None
        pid = self._search.pid_of(owner.inode) if owner.inode else None
        user = self._user(owner.uid) if owner.uid >= 0 else None
        if pid is not None:
            return self._search.describe(pid, user)
        if owner.inode and len(self._open) < _MOST_OPEN:
            self._open[key] = owner
        return None if user is None else Process(user=user)

    def find_all(self, keys: Sequence[bytes]) -> list[Process | None]:
        """Return the result of `find` for several connections."""
        return [self.find(key) for key in keys]

    def close(self) -> None:
        """Close what is open."""
        self._sockets.close()

    def _owner(self, key: bytes) -> Owner | None:
        asked: tuple[Callable[[bytes, int], Owner | None], ...] = (self._sockets.owner, self._elsewhere.owner)
        for ask in asked:
            for end in (0, 1):
                owner = ask(key, end)
                if owner is not None:
                    return owner
        return None

    def _user(self, uid: int) -> str:
        name = self._users.get(uid)
        if name is None:
            if len(self._users) >= _MOST_USERS:
                self._users.clear()
            name = self._users[uid] = user_name(uid)
        return name


def user_name(uid: int) -> str:
    """Return the name of a user of this machine; the number as text if it has none."""
    if os.name != "posix":
        return str(uid)
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
