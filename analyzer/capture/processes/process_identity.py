"""A process, as a capture or the system describes it.

All texts are chosen by others: a process names itself (prctl(2), PR_SET_NAME), and a capture can say anything. So they are
bounded here; who shows them has to make them harmless.
"""

from dataclasses import dataclass, field

LONGEST_NAME = 128
"""Characters of a name that are kept. Linux and macOS have names of 15 bytes, users of 32, and container ids of 64."""


@dataclass(frozen=True, slots=True)
class Process:
    """What is known of a process; None for what is not.

    name: as the system lists it, without its path. pid: its number. user: the name of its user, or the number if that has no
    name. container: the id of the container in which it runs, None also if it runs in none. ancestors: the ids of its parent,
    of the parent of that, and so on, as far as they were asked for.
    """

    name: str | None = None
    pid: int | None = None
    user: str | None = None
    container: str | None = None
    ancestors: tuple[int, ...] = field(default=(), compare=False)

    def record(self) -> dict[str, str | int | None]:
        """Return the entry `process` of a session record."""
        return {"name": self.name, "pid": self.pid, "user": self.user, "container": self.container}


def text_of(value: bytes) -> str | None:
    """Return a name from outside as text, None if it is empty. Bytes that are not UTF-8 become escapes."""
    text = value.rstrip(b"\0\n").decode("utf-8", "backslashreplace")[:LONGEST_NAME]
    return text or None
