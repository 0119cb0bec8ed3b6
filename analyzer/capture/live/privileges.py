"""What the process may do, what it needs in order to capture, and how it gives up its rights (capabilities(7)).

To open a packet socket, Linux asks for the capability CAP_NET_RAW. After that nothing is needed. So before the first byte of a
stranger is read, everything is given up: started through sudo, the process becomes the user who typed the command; started by
root itself, it loses all capabilities and stays user 0, so that it can read and write the files of root, and nobody else's.
"""

import ctypes
import os
import shlex
import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analyzer.capture.live.capture_error import CaptureError

CAP_DAC_READ_SEARCH = 2
CAP_SETPCAP = 8
CAP_NET_RAW = 13
CAP_SYS_PTRACE = 19

_STATUS = Path("/proc/thread-self/status")
_TASKS = Path("/proc/self/task")
_PR_SET_KEEPCAPS, _PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 8, 23, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of the process, as /proc/self/status has them. Capabilities are bit masks.

    users, groups: real, effective, saved, and of the file system. supplementary: further groups.
    """

    users: tuple[int, ...]
    groups: tuple[int, ...]
    supplementary: tuple[int, ...]
    inheritable: int
    permitted: int
    effective: int
    bounding: int
    ambient: int
    no_new_privileges: bool


def rights() -> Rights:
    """Return the rights of the calling thread."""
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)

    def numbers(name: str) -> tuple[int, ...]:
        return tuple(int(word) for word in fields[name].split())

    return Rights(
        users=numbers("Uid"),
        groups=numbers("Gid"),
        supplementary=numbers("Groups"),
        inheritable=int(fields["CapInh"], 16),
        permitted=int(fields["CapPrm"], 16),
        effective=int(fields["CapEff"], 16),
        bounding=int(fields["CapBnd"], 16),
        ambient=int(fields["CapAmb"], 16),
        no_new_privileges=fields["NoNewPrivs"].strip() == "1",
    )


def may_capture() -> bool:
    """Return whether the process may open packet sockets. It tries: a capability may belong to another user namespace."""
    if sys.platform != "linux":
        return os.geteuid() == 0
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return False
    return True


def missing_right() -> str | None:
    """Return the name of the right that capturing needs and the process lacks; None if it lacks nothing."""
    if may_capture():
        return None
    return "CAP_NET_RAW" if sys.platform == "linux" else "root"


def capture_command(*arguments: str) -> str:
    """Return a command line with the right to capture: `sudo …/analyzer live` and the arguments.

    sudo does not look for programs where a shell does, so the whole path is there.
    """
    program = os.path.abspath(sys.argv[0])
    words = [program] if os.access(program, os.X_OK) and os.path.isfile(program) else [sys.executable, "-m", "analyzer"]
    return shlex.join(["sudo", *words, "live", *arguments])


def explain_missing() -> str:
    """Return one line that says which right is missing, and which command gives it."""
    if sys.platform != "linux":
        return f"capturing needs the rights of root: {capture_command()} …"
    interpreter = shlex.quote(os.path.realpath(sys.executable))
    return (
        f"the right CAP_NET_RAW is missing: {capture_command()} …, "
        f"or once, for all that this Python runs: sudo setcap cap_net_raw+ep {interpreter}"
    )


def drop(user: str | None = None, kept: Iterable[int] = ()) -> str | None:
    """Give up all rights that the process has beyond those of a user. Return a note where it stays root, else None.

    Root becomes `user`, or who called sudo (SUDO_UID and SUDO_GID), with no other groups. Root without either loses only its
    capabilities. In every case no program that is started later can get rights back (PR_SET_NO_NEW_PRIVS). kept: numbers of
    the capabilities that this process goes on with, as far as it has them.
    Raise CaptureError if `user` is not known, if the process may not become that user, if there are other threads (they would
    keep their rights), or if /proc shows afterwards that a right is left.
    """
    target = _target(user)
    if sys.platform != "linux":
        if target is not None:
            _become(*target)
            return None
        return "still root: no user to become is known" if os.geteuid() == 0 else None
    if len(list(_TASKS.iterdir())) > 1:
        raise CaptureError("rights cannot be dropped: the process has other threads, which would keep them")
    libc = ctypes.CDLL(None, use_errno=True)
    if rights().effective >> CAP_SETPCAP & 1:
        for capability in range(_MOST_CAPABILITIES):
            if libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
                _call(libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0))
    _call(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    left = rights().permitted & sum(1 << capability for capability in set(kept))
    if target is not None:
        if left:
            _call(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
        _become(*target)
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
    low, high = left & 0xFFFFFFFF, left >> 32
    _call(libc.capset(header, ctypes.create_string_buffer(struct.pack("6I", low, low, 0, high, high, 0))))
    _call(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check(rights(), target, left)
    if os.geteuid() != 0:
        return None
    return "still user root, without capabilities: started through sudo, or with --user NAME, it would be a plain user"


def _target(user: str | None) -> tuple[int, int] | None:
    """Return the user and group to become. None: the process stays who it is."""
    if user is not None:
        import pwd

        try:
            entry = pwd.getpwnam(user)
        except KeyError as error:
            raise CaptureError(f"there is no user {user}") from error
        if os.geteuid() != 0 and entry.pw_uid != os.geteuid():
            raise CaptureError(f"only root can become {user}")
        return (entry.pw_uid, entry.pw_gid) if os.geteuid() == 0 else None
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() != 0 or not _is_id(uid) or not _is_id(gid) or int(uid) == 0:
        return None
    return int(uid), int(gid)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 0xFFFFFFFF


def _become(uid: int, gid: int) -> None:
    try:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except PermissionError as error:
        raise CaptureError(f"rights cannot be dropped to user {uid} and group {gid}: {error.strerror}") from error


def _call(result: int) -> None:
    if result != 0:
        raise CaptureError(f"rights cannot be dropped: {os.strerror(ctypes.get_errno())}")


def _check(left: Rights, target: tuple[int, int] | None, kept: int) -> None:
    """Raise CaptureError if the process has kept something. kept: mask of the capabilities that it should have."""
    too_many = left.inheritable | left.ambient | (left.permitted | left.effective) & ~kept
    if too_many or not left.no_new_privileges:
        raise CaptureError("rights were dropped, but /proc shows capabilities that are left")
    if target is not None and (set(left.users) != {target[0]} or set(left.groups) != {target[1]} or left.supplementary):
        raise CaptureError("rights were dropped, but /proc shows another user or group")
