"""Runs a command and sniffs only its connections: `analyzer live -- curl https://example.com`.

The command gets `SSLKEYLOGFILE` (RFC 9850), set to a file that only its user can read, in a folder of its own. Both are removed
at the end. Which sessions belong to the command is known in two ways. A secret of the session in this file proves it, however
short the connection was, since nobody else knows the file. And for programs that log no secrets, the process that owns the
socket when the session begins (`live_processes`) has to be the command or a descendant of it. This process makes itself the one
that adopts orphans (PR_SET_CHILD_SUBREAPER, prctl(2)), so that a descendant stays one even if those between have ended.

A session of a program that logs no secrets, and whose connection has ended before its socket could be looked up, is not shown.

A command that sniffs uses it like this:

    command = LiveCommand(words)                        # creates the key log
    keys = LiveKeys(options, command.key_log)
    processes = LiveProcesses.open()
    live.open()
    command.start()                                     # before rights are dropped: it runs as the user who called
    ...
    own = OwnSessions(command, keys.arguments["keylog"], listeners)
    run(source, engine, [processes, own])               # `source` ends some time after `command.ended()`
    command.stop()                                      # it still runs after a signal, or if the capture had another end
    complain(command.outcome())
    command.close()                                     # also after an error
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from analyzer.capture.processes.process_identity import Process
from analyzer.cli.live_chosen import ChosenSessions
from analyzer.cli.output import CommandError, complain
from analyzer.cli.tail import replaced
from analyzer.engine.run import Listener
from analyzer.text.formatting import count_text
from analyzer.text.language import say
from analyzer.tls.events import Event, SessionBegan, SessionEnded

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog
    from analyzer.tls.session import Session

LINGER = 0.5
"""Seconds after the end of the command for which its last packets and secrets may come."""

_LEAVE = 0.5
"""Seconds that the command has to end by itself when the capture has ended: Ctrl-C of a terminal reaches both."""

_GRACE = 3.0
"""Seconds that the command has to end after SIGTERM."""

_SET_CHILD_SUBREAPER = 36


class LiveCommand:
    """One command, from its key log to its exit status. Use it once.

    words: program and arguments. key_log: the path of the file to which it logs its secrets.
    """

    def __init__(self, words: Sequence[str], stdout: int | None = None) -> None:
        """stdout: the descriptor to which it writes; None for that of this process. Raises CommandError if it is not there."""
        self.words = list(words)
        self._stdout = stdout
        program = shutil.which(words[0]) if words else None
        if program is None:
            raise CommandError(f"{words[0]}: no such command" if words else "-- needs a command behind it")
        self._user = caller()
        self._folder = tempfile.mkdtemp(prefix="analyzer-")  # mode 0700
        self.key_log = os.path.join(self._folder, "keys")
        os.close(os.open(self.key_log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if self._user is not None:
            for path in (self.key_log, self._folder):
                os.chown(path, self._user.uid, self._user.gid)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_at: float | None = None
        self._others: set[int] = set()

    def start(self) -> None:
        """Start the command, as the user who called sudo if this runs as root. Raises CommandError."""
        environment = os.environ | {"SSLKEYLOGFILE": self.key_log}
        user = self._user
        adopt_orphans()
        self._others = _children()
        try:
            if user is None:
                self._process = subprocess.Popen(self.words, env=environment, stdout=self._stdout)
            else:
                environment |= {"HOME": user.home, "USER": user.name, "LOGNAME": user.name}
                self._process = subprocess.Popen(
                    self.words,
                    env=environment,
                    stdout=self._stdout,
                    user=user.uid,
                    group=user.gid,
                    extra_groups=os.getgrouplist(user.name, user.gid),
                )
        except OSError as error:
            raise CommandError(f"{self.words[0]}: {error.strerror}") from error

    def ended(self) -> bool:
        """Return whether the command has ended, and LINGER has passed since then. Call it some times in a second.

        Orphans of the command that have ended are waited for, so that none stays in the table of processes.
        """
        if self._process is not None:
            for pid in _children() - self._others - {self._process.pid}:
                os.waitpid(pid, os.WNOHANG)
        if self._process is None or self._process.poll() is None:
            return False
        if self._ended_at is None:
            self._ended_at = monotonic()
        return monotonic() - self._ended_at >= LINGER

    def is_own(self, process: Process | None) -> bool:
        """Return whether a process is the command or a descendant of it: of all that this process starts, only it connects."""
        return self._process is not None and process is not None and os.getpid() in process.ancestors

    def outcome(self) -> str:
        """Return how the command ended, in one line."""
        name = self.words[0]
        status = None if self._process is None else self._process.poll()
        if status is None:
            return f"{name}: still running"
        if status < 0:
            return f"{name}: ended by {signal.Signals(-status).name}"
        return f"{name}: ended with status {status}"

    def stop(self) -> None:
        """End the command, if it still runs after half a second: with SIGTERM, and after three seconds with SIGKILL.

        Its own children are its business: they get no signal. A command that has become another user cannot be ended without
        rights. It is left running, and that is said.
        """
        process = self._process
        if process is None or process.poll() is not None:
            return
        try:
            try:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_LEAVE)
                if process.poll() is None:
                    process.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_GRACE)
            finally:  # also if a signal ends the waiting
                process.kill()
                process.wait()
        except PermissionError as error:
            complain(f"{self.words[0]}: not ended, process {process.pid} is another user's: {error.strerror}")

    def close(self) -> None:
        """End the command, if it still runs, and remove the key log and its folder."""
        try:
            self.stop()
        finally:
            self._remove_folder()

    def _remove_folder(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # closed before
            try:
                shutil.rmtree(self._folder)
            except PermissionError as error:  # rights were dropped, and only root may write where temporary files are
                complain(f"{error.filename}: not removed: {error.strerror}")


class OwnSessions(ChosenSessions):
    """Passes on to other listeners what belongs to the sessions of a command, and nothing of other sessions.

    unknown: of how many sessions that were not shown the process is not known.
    """

    def __init__(self, command: LiveCommand, keylog: "KeyLog | None", listeners: Sequence[Listener]) -> None:
        """keylog: where the secrets of the command are. It may have those of other sources too."""
        super().__init__(listeners)
        self.unknown = 0
        self._command = command
        self._keylog = keylog

    def is_chosen(self, event: Event) -> bool:
        """See `ChosenSessions.is_chosen`."""
        return isinstance(event, SessionBegan) and self._command.is_own(event.flow.process)

    def is_chosen_at_end(self, event: SessionEnded) -> bool:
        """See `ChosenSessions.is_chosen_at_end`."""
        process = event.ended.flow.process
        if self._command.is_own(process) or self._has_logged(event.ended):
            return True
        self.unknown += process is None or process.pid is None
        return False

    def left_out(self) -> str:
        """Return how many sessions were not shown, in one line; "" if there are none."""
        if self.others == 0:
            return ""
        unknown = say(", {n:,} of them of a process that is not known", n=self.unknown) if self.unknown else ""
        sessions = count_text(self.others, "session")
        return say("not shown: {sessions} that no secret or process shows to be the command's", sessions=sessions) + unknown

    def _has_logged(self, session: "Session") -> bool:
        """Return whether the command has logged a secret of this session."""
        work = session.handshake.decryption
        if work is None or self._keylog is None:
            return False
        randoms = {work.keys.client_random, *work.keys.named}
        lines = [line for random in randoms for line in self._keylog.lines_of(random)]
        own = (self._command.key_log, replaced(self._command.key_log))
        return any(line.source in own for line in lines)


class User(NamedTuple):
    """A user of this machine: name, numbers of user and group, home folder."""

    name: str
    uid: int
    gid: int
    home: str


def caller() -> User | None:
    """Return the user who called sudo if this runs as root; None to run as the user of this process. Raises CommandError."""
    called = os.environ.get("SUDO_UID", "")
    if sys.platform == "win32" or os.geteuid() != 0 or not called.isdigit():
        return None
    import pwd

    try:
        entry = pwd.getpwuid(int(called))
    except (KeyError, OverflowError) as error:
        raise CommandError(f"SUDO_UID={called}: no such user") from error
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def _children() -> set[int]:
    """Return the processes of which this one is the parent. Only Linux says that (proc_pid_task(5))."""
    if sys.platform != "linux":
        return set()
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError):  # the thread has ended, or the kernel does not have it
            found.update(map(int, Path(f"/proc/self/task/{task}/children").read_text().split()))
    return found


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends. Only Linux has this."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
