"""Notes sessions that are long, and those in which the client sends much more than it gets.

A browser gets more than it sends, and its connections end soon. Backups, uploads, tunnels and stolen data look the other way
round, and the size of records shows it without any secret. This says nothing about who is right; it says where to look.
"""

LONG_SESSION_NS = 3_600 * 1_000_000_000
"""From this duration on, in nanoseconds, a session is reported: one hour."""

LARGE_UPLOAD_BYTES = 10 * 1024 * 1024
"""From this number of bytes on, what a client sends is reported, if it also is LARGE_UPLOAD_RATIO times what it gets."""

LARGE_UPLOAD_RATIO = 10


def volume(duration: int, sent: int, received: int) -> list[tuple[str, str, str]]:
    """Return the findings about a session's duration and data: code, severity and detail.

    duration: nanoseconds, below 0 if it is not known. sent, received: bytes of records of application data of the client and of
    the server, as on the wire.
    """
    found = []
    if duration >= LONG_SESSION_NS:
        found.append(("long_session", "info", f"the session lasts {duration // 1_000_000_000:,} seconds"))
    if sent >= LARGE_UPLOAD_BYTES and sent >= LARGE_UPLOAD_RATIO * received:
        detail = f"the client sends {sent:,} bytes in records of application data, and the server {received:,}"
        found.append(("large_upload", "info", detail))
    return found
