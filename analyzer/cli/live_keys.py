"""The keys of a run that sniffs: follows the key logs while packets arrive, and says how long sessions wait for them.

A program logs the secrets of a session (SSLKEYLOGFILE, RFC 9850) while its handshake is on the wire. So they come a moment
before or after the packets. A session whose secrets are not there waits in a bounded store (`tls/pending`): while it is open,
and, where the log may be late, once more when it has ended. When the secrets come, it gets all its packets as if they had been
there from the start.

A command that sniffs uses it like this:

    keys = LiveKeys(options)                     # after rights are dropped; notes about files that are not there yet
    engine = Engine(detailed=True, **keys.arguments)
    for packet_reader in live.packet_readers():  # also yields when nothing came, some times a second
        keys.look()                              # cheap: looks at the files at most every 50 ms
        engine.run(packet_reader)
        engine.tick(time.time_ns())              # so that sessions do not wait longer on a quiet interface
        deliver(engine.take(), listeners)
    keys.close()                                 # before `engine.close()`: takes what was logged last
"""

import os
from argparse import Namespace
from collections.abc import Callable, Collection
from time import monotonic

from analyzer.cli.key_files import Keys, read_key_log, read_other_keys, report_problems
from analyzer.cli.tail import Tail

LONGEST_WAIT = 5.0
"""Seconds that a session waits for its secrets: while it is open, and again when it has ended, if the log may be late.

Programs log secrets within a second. Who watches an interface wants to see the sessions of other programs too, and soon.
"""

MOST_LINES = 1 << 14
"""Secrets that are kept: of 3,200 sessions of TLS 1.3, in 4 MB. With more, those read first are forgotten, half of all.

A session needs its secrets when it begins. Those of open sessions stay, because they may be written when it ends.
"""

_INTERVAL = 0.05
"""Seconds between two looks at the files. To look costs two system calls for each file."""


class LiveKeys:
    """The keys of a live run, and the key logs that are followed.

    arguments: what `Engine` needs to decrypt, as keyword arguments. needed: returns the client randoms of the open sessions.
    """

    def __init__(self, options: Namespace, own_log: str | None = None, longest_wait: float = LONGEST_WAIT) -> None:
        """Read the files of `--keylog`, `--rsa-key` and `--psk-file`. Raises CommandError and OSError.

        own_log: one more key log: that of a command that this run starts. longest_wait: seconds that sessions wait for secrets.
        """
        other = read_other_keys(options)
        paths = list(dict.fromkeys(options.keylog))
        keylog = None
        self._tails: list[Tail] = []
        self._n_reported = 0
        if paths or own_log is not None:
            from analyzer.secrets.keylog import KeyLog

            keylog = KeyLog()
            for path in paths:
                if path != "-" and (os.path.isfile(path) or not os.path.lexists(path)):
                    self._tails.append(Tail(keylog, path, may_be_missing=True))
                else:
                    read_key_log(keylog, path)
            if own_log is not None:
                self._tails.append(Tail(keylog, own_log))
            for tail in self._tails:
                while tail.read_new():
                    pass
            report_problems(keylog, may_grow=True)
            self._n_reported = len(keylog.problems)
        may_grow = self.may_grow if self._tails else None
        self.arguments = Keys(keylog=keylog, may_grow=may_grow, longest_wait=int(longest_wait * 1e9), **other)
        self.needed: Callable[[], Collection[bytes]] = set
        self._next_look = 0.0
        self._most_lines = MOST_LINES

    def may_grow(self) -> bool:
        """Return whether secrets may still come: whether key logs are still followed."""
        return bool(self._tails)

    def look(self) -> None:
        """Read what the key logs have got since the last look, with a bounded amount of work.

        The caller calls it before the packets of every turn. Most calls do nothing, because files are looked at every 50 ms.
        """
        now = monotonic()
        if now < self._next_look:
            return
        more = False
        for tail in self._tails:
            more = tail.read_new() or more
        keylog = self.arguments["keylog"]
        if keylog is not None and keylog.n_kept > self._most_lines:
            keylog.forget(MOST_LINES // 2, self.needed())
            self._most_lines = max(MOST_LINES, 2 * keylog.n_kept)  # not again at once, if all are needed
        self._next_look = now if more else now + _INTERVAL

    def close(self) -> None:
        """Read the key logs to their end, for the last time. From now on no session waits for secrets.

        What was wrong in them is reported, as far as it was not at the start.
        """
        for tail in self._tails:
            tail.close()
        self._tails.clear()
        keylog = self.arguments["keylog"]
        if keylog is not None:
            report_problems(keylog, self._n_reported)
            self._n_reported = len(keylog.problems)
