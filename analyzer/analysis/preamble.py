"""The entry of one protocol before TLS, as the session record has it, and small readers of text that came from the wire."""

from typing import Any

Entry = dict[str, Any]
"""Values by the names in KEYS."""

Read = tuple[Entry, int, int]
"""What a reader found: the entry, and how many bytes of the client and of the server belong to it."""

KEYS = (
    "protocol", "version", "client", "server", "target", "user", "user_agent", "client_name", "server_name", "status",
    "details", "bytes",
)  # fmt: skip

LONGEST_TEXT = 255
"""Characters of a value from the wire that are kept. No name of a host is longer."""


def entry(protocol: str, **known: Any) -> Entry:
    """Return an entry in which all that is not known is None."""
    found: Entry = dict.fromkeys(KEYS)
    found["details"] = {}
    return found | {"protocol": protocol, **known}


def text(value: bytes) -> str:
    """Return text from the wire, at most LONGEST_TEXT characters. Bytes that are not UTF-8 become escapes."""
    return value.decode("utf-8", "backslashreplace")[:LONGEST_TEXT]


def place(host: str, port: int | None) -> Entry:
    """Return a host and its port, None for one that is not known."""
    return {"host": host[:LONGEST_TEXT], "port": port}


def authority(value: bytes) -> Entry:
    """Return the place of `host:port`, or of `[address]:port` (RFC 3986 section 3.2)."""
    host, colon, port = value.rpartition(b":")
    if not colon or not port.isdigit() or len(port) > 5 or int(port) > 65535:
        return place(text(value), None)
    return place(text(host).removeprefix("[").removesuffix("]"), int(port))
