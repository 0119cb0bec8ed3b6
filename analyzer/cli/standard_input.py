"""Finds out whether a capture comes through standard input, when the command line names none."""

import os
import select
import stat

from analyzer.cli.output import complain

_PATIENCE = 1000
"""Milliseconds after which the user is told what is waited for."""


def input_comes() -> bool:
    """Return whether standard input is a file or pipe with something in it. Waits for the first byte, or the end, of a pipe.

    A terminal and devices such as /dev/null are not: without a capture on the command line, nobody means them.
    """
    try:
        status = os.fstat(0)
        if stat.S_ISREG(status.st_mode):
            return status.st_size > os.lseek(0, 0, os.SEEK_CUR)
        if not stat.S_ISFIFO(status.st_mode) and not stat.S_ISSOCK(status.st_mode):
            return False
    except OSError:  # it is closed
        return False
    poll = select.poll()
    poll.register(0, select.POLLIN)
    ready = poll.poll(_PATIENCE)
    if not ready:
        complain("a capture is expected on standard input; `analyzer --help` says what else there is")
        ready = poll.poll()
    if not ready[0][1] & select.POLLIN:  # its end
        return False
    return not stat.S_ISSOCK(status.st_mode) or _has_byte(os.dup(0))


def _has_byte(descriptor: int) -> bool:
    """Return whether a socket that can be read has a byte, and not its end. The descriptor is closed."""
    import socket

    with socket.socket(fileno=descriptor) as peer:
        return bool(peer.recv(1, socket.MSG_PEEK))
