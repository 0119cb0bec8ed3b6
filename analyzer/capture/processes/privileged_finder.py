"""Finds processes for a run that gives up its rights: through a small process that keeps them.

Whoever reads hostile packets should have no rights. But only with CAP_SYS_PTRACE can the processes of other users be found. So
this forks before the rights are dropped. The child parses nothing that comes from the network but addresses and ports: a
request is 12 or 36 bytes, an answer is one datagram with JSON. It ends with the parent, because then its socket is closed.
"""

import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import Callable
from time import monotonic
from typing import NoReturn

import orjson

from analyzer.capture.processes.process_finder import ProcessFinder
from analyzer.capture.processes.process_identity import Process

_LONGEST_ANSWER = 4096
_KEY_LENGTHS = (12, 36)
"""Bytes of two addresses and two ports, of IPv4 and IPv6."""

_WAIT = 0.1
"""Seconds that an answer may take: a search takes half of that at most."""

_SET_PARENT_DEATH_SIGNAL = 1

_PAUSE = 1.0
"""Seconds without questions after an answer that took too long."""


class PrivilegedFinder:
    """Asks the child. It has the methods of `ProcessFinder`. Create it before rights are dropped and before threads start."""

    def __init__(self) -> None:
        """Raises OSError if there is no sock_diag, or if no process can be created."""
        ProcessFinder().close()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            _answer_and_exit(theirs, self._socket)
        theirs.close()
        self._socket.settimeout(_WAIT)
        self._ask_again = 0.0
        self._owed = 0

    def find(self, key: bytes) -> Process | None:
        """See `ProcessFinder.find`. None also if the answer does not come in time."""
        if monotonic() < self._ask_again:
            return None
        try:
            self._socket.send(key)
            self._owed += 1
            while True:
                answer = self._socket.recv(_LONGEST_ANSWER)
                if not answer:  # the child has ended
                    self._ask_again = float("inf")
                    return None
                self._owed -= 1
                if self._owed == 0:
                    return process_of(answer)
        except TimeoutError:
            self._ask_again = monotonic() + _PAUSE
        except OSError:  # the child has ended
            self._ask_again = float("inf")
        return None

    def close(self) -> None:
        """End the child, and wait for that."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):  # somebody else has waited for it
            os.waitpid(self.pid, 0)


def process_of(answer: bytes) -> Process | None:
    """Read an answer of the child."""
    values = orjson.loads(answer)
    return None if values is None else Process(*values)


def answers(finder: ProcessFinder, receive: Callable[[], bytes], send: Callable[[bytes], object]) -> None:
    """Answer questions until an empty one comes, which means that the other side has ended."""
    while key := receive():
        found = finder.find(key) if len(key) in _KEY_LENGTHS else None
        send(orjson.dumps(None if found is None else (found.name, found.pid, found.user, found.container)))


def end_with_parent() -> None:
    """Ask Linux to end this process when its parent ends, whatever ends it (PR_SET_PDEATHSIG, prctl(2))."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _answer_and_exit(theirs: socket.socket, ours: socket.socket) -> NoReturn:
    """Be the child. Nothing of the parent's may run here, so it ends without cleaning up."""
    status = 1
    try:
        end_with_parent()
        # The terminal sends Ctrl-C to both. The parent decides when it is over.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.closerange(3, theirs.fileno())
        os.closerange(theirs.fileno() + 1, 4096)
        with contextlib.suppress(OSError):  # the parent has ended
            answers(ProcessFinder(), lambda: theirs.recv(64), theirs.send)
        status = 0
    finally:
        os._exit(status)
