"""Knows the process of a connection from its first segment on: a small process that watches, and answers questions.

Two things are to be had at once. What reads hostile packets should have no rights; but only with CAP_SYS_PTRACE can the
processes of other users be found. And a session is seen some milliseconds after it began; but then the connection of a short
command may be gone, and nobody knows any more whose it was. So this forks before the rights are dropped. The child looks for
the owner of each connection when its SYN is seen (`connection_attempts`), and remembers it. It reads nothing of packets but
addresses and ports. A question is 12 or 36 bytes, an answer is one datagram with JSON. The child ends with the parent.

The child drops its rights too, when its sockets are open and before it reads from them. It becomes the same user, and keeps two
capabilities if it was started with them. CAP_DAC_READ_SEARCH is for the folders /proc/PID/fd of other users, which have mode
0500. CAP_SYS_PTRACE is for the links in them and for /proc/PID/ns/net. For the tables in /proc/PID/net, and for sock_diag, no
right is needed. Its bounding set is empty, and PR_SET_NO_NEW_PRIVS is set. Both capabilities are strong, and a process that
has them could read all files and change other processes. That is why it is another process than the one that reads packets.

The child takes at most a fifth of a processor for searches, those for questions too; several that run at once share that. With
more connections than it allows, for example in a flood of SYN, the kernel drops what the child does not read, and these
connections are looked for when a session begins in them. Questions beyond it are answered from memory.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
from collections.abc import Sequence
from math import inf
from time import monotonic, process_time
from typing import NoReturn, Protocol

import orjson

from analyzer.capture.live import privileges
from analyzer.capture.processes.connection_attempts import MOST_AT_ONCE, ConnectionAttempts
from analyzer.capture.processes.process_finder import ProcessFinder
from analyzer.capture.processes.process_identity import Process

_LONGEST_ANSWER = 4096
_READY = b"ready"
"""What the child sends first."""

_KEY_LENGTHS = (12, 36)
"""Bytes of two addresses and two ports, of IPv4 and IPv6."""

_WAIT = 0.1
"""Seconds that answers may take: a search takes half of that at most."""

_MOST_ASKED = 64
"""Questions without an answer yet."""

_PAUSE = 1.0
"""Seconds without questions after an answer that took too long."""

_PAYS = 5
"""Seconds that have to go by for each second of processor time that the child takes. Until then it reads no new connections."""

_CREDIT = 1.0
"""Seconds that may still have to go by when a question is searched for: hundreds of sessions may begin at once."""

_AGAIN, _TRIES = 0.004, 100
"""Seconds after which a process that could not be found yet is looked for again, and how often."""

_MOST_KEPT = 16384
"""Connections that the child remembers."""

_KEPT = (privileges.CAP_SYS_PTRACE, privileges.CAP_DAC_READ_SEARCH)

_SET_PARENT_DEATH_SIGNAL = 1

_NICER = -10
"""How the child is preferred (setpriority(2)). It sleeps most of the time, and has some milliseconds when it does not."""


class ConnectionWitness:
    """Asks the child. It has the methods of `ProcessFinder`. Create it before rights are dropped and before threads start."""

    def __init__(self, user: str | None = None, n_witnesses: int = 1) -> None:
        """Return when the child watches, without its rights. Raises OSError if there is no sock_diag, or no such child.

        user: see `privileges.drop`. n_witnesses: how many of them share the fifth of a processor.
        """
        ProcessFinder().close()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            _watch_and_exit(theirs, self._socket, user, n_witnesses)
        theirs.close()
        if not self._socket.recv(len(_READY)):
            self.close()
            raise OSError("the process that watches connections could not begin")
        self._ask_again = 0.0
        self._owed = 0

    def find(self, key: bytes) -> Process | None:
        """See `ProcessFinder.find`. None also if the answer does not come in time."""
        return self.find_all([key])[0]

    def find_all(self, keys: Sequence[bytes]) -> list[Process | None]:
        """Find several processes at once, for which the child works while this process goes on asking.

        Return them in the same order; None also for those whose answer does not come in time.
        """
        found: list[Process | None] = []
        until = monotonic() + _WAIT
        n_asked = 0
        if monotonic() < self._ask_again:
            return [None] * len(keys)
        try:
            while len(found) < len(keys):
                if n_asked < len(keys) and n_asked - len(found) < _MOST_ASKED:
                    self._socket.send(keys[n_asked])
                    n_asked += 1
                    self._owed += 1
                    continue
                self._socket.settimeout(max(0.001, until - monotonic()))
                answer = self._socket.recv(_LONGEST_ANSWER)
                if not answer:  # the child has ended
                    self._ask_again = inf
                    break
                self._owed -= 1
                if self._owed < n_asked - len(found):  # else it answers a question that was given up
                    found.append(process_of(answer))
        except TimeoutError:
            self._ask_again = monotonic() + _PAUSE
        except OSError:  # the child has ended
            self._ask_again = inf
        return found + [None] * (len(keys) - len(found))

    def close(self) -> None:
        """End the child, and wait for that."""
        self._socket.close()
        with contextlib.suppress(ChildProcessError):  # somebody else has waited for it
            os.waitpid(self.pid, 0)


def process_of(answer: bytes) -> Process | None:
    """Read an answer of the child."""
    values = orjson.loads(answer)
    if values is None:
        return None
    name, pid, user, container, ancestors = values
    return Process(name, pid, user, container, tuple(ancestors))


def answer_of(process: Process | None) -> bytes:
    """Return what `process_of` reads."""
    if process is None:
        return b"null"
    return orjson.dumps((process.name, process.pid, process.user, process.container, process.ancestors))


class Finder(Protocol):
    """What finds the process of a connection: `ProcessFinder`."""

    def find(self, key: bytes) -> Process | None: ...  # noqa: D102


class Watch:
    """What the child does: remembers who owns new connections, and answers questions about them.

    known: the process by the key of the connection; None if none was found.
    """

    def __init__(
        self, questions: socket.socket, finder: Finder, attempts: ConnectionAttempts | None, n_witnesses: int = 1
    ) -> None:
        """attempts: where new connections are seen; None if this process has not the right to see them."""
        self.known: dict[bytes, Process | None] = {}
        self._questions = questions
        self._finder = finder
        self._attempts = attempts
        self._tries: dict[bytes, int] = {}
        self._pays = _PAYS * n_witnesses
        self._paid_at = 0.0

    def run(self) -> None:
        """Work until the other side of the questions is closed."""
        while self.turn():
            pass

    def turn(self) -> bool:
        """Wait for something to do, and do it. Return False if the other side of the questions was closed."""
        resting = self._paid_at - monotonic()
        sources: list[socket.socket] = [self._questions]
        if self._attempts is not None and resting <= 0:
            sources.append(self._attempts.socket)
        timeout = max(_AGAIN, resting) if self._tries else resting if resting > 0 else None
        ready = select.select(sources, [], [], timeout)[0]
        if self._questions in ready and not self._answer_all():
            return False
        if monotonic() >= self._paid_at:
            keys = dict.fromkeys(self._tries)
            if self._attempts is not None and self._attempts.socket in ready:
                keys |= dict.fromkeys(self._attempts.take())
            began = process_time()
            for key in keys:
                self._look(key, self._tries.pop(key, 0))
            if keys:
                self._pay(began)
        return True

    def _answer_all(self) -> bool:
        for _ in range(_MOST_ASKED):
            try:
                key = self._questions.recv(64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if not key:
                return False
            self._questions.send(answer_of(self._answer(key)))
        return True

    def _answer(self, key: bytes) -> Process | None:
        found = self.known.pop(key, None)
        if (found is None or found.pid is None) and len(key) in _KEY_LENGTHS and monotonic() >= self._paid_at - _CREDIT:
            began = process_time()
            found = self._finder.find(key) or found
            self._pay(began)
        return found

    def _pay(self, began: float) -> None:
        """Rest for a work. began: `process_time` at its beginning."""
        self._paid_at = max(self._paid_at, monotonic()) + self._pays * (process_time() - began)

    def _look(self, key: bytes, tries: int) -> None:
        process = self._finder.find(key) or self.known.get(key)
        if process is None:
            return
        if process.pid is None and tries < _TRIES and len(self._tries) < MOST_AT_ONCE:
            self._tries[key] = tries + 1
        if len(self.known) >= _MOST_KEPT:
            del self.known[next(iter(self.known))]
        self.known[key] = process


def end_with_parent() -> None:
    """Ask Linux to end this process when its parent ends, whatever ends it (PR_SET_PDEATHSIG, prctl(2))."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def _watch_and_exit(theirs: socket.socket, ours: socket.socket, user: str | None, n_witnesses: int) -> NoReturn:
    """Be the child. Nothing of the parent's may run here, so it ends without cleaning up."""
    status = 1
    try:
        # The terminal sends Ctrl-C to both. The parent decides when it is over.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.closerange(3, theirs.fileno())
        os.closerange(theirs.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        with contextlib.suppress(PermissionError):  # only root may; then the child is in time on a busy machine too
            os.nice(_NICER)
        attempts = None
        with contextlib.suppress(OSError):  # without the right to capture, there are only the questions
            attempts = ConnectionAttempts()
        finder = ProcessFinder()
        privileges.drop(user, _KEPT)
        end_with_parent()  # another user has to ask for it again (prctl(2))
        with contextlib.suppress(OSError):  # the parent has ended
            theirs.send(_READY)
            Watch(theirs, finder, attempts, n_witnesses).run()
        status = 0
    finally:
        os._exit(status)
