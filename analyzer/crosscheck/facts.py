"""What is compared of a TLS session: the same form for our record and for what tshark says.

A fact is a text with the frame that it is from. Lists have one fact for every message, alert, certificate, request or status.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

SCALARS = (
    "version", "cipher_suite", "group", "server_name", "alpn", "ja3", "ja3s", "ja4", "client_bytes", "server_bytes",
    "quic_version",
)  # fmt: skip
"""The fields that a session has once."""

LISTS = ("handshake", "alerts", "certificates", "requests", "statuses", "connection_ids")
"""The fields that a session has many times."""

SESSION = "session"
"""The field of a session that only one of the two has."""

ANYWHERE = frozenset({"certificates", "connection_ids"})
"""The lists whose items are the same in whatever frame."""

FIELDS = (SESSION, *SCALARS, *LISTS)

CLOSED = "encrypted"
"""The text of a message or an alert whose type cannot be seen."""

HELLO_RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
"""The random of a ServerHello that is a HelloRetryRequest (RFC 9846 section 4.1.3)."""

HELLO_RETRY_NAME = "hello_retry_request"
"""The type of a HelloRetryRequest in our records."""

IN_FRAME = " in frame "
"""What stands between a value of a difference and its frame, where only the frames differ."""


class Fact(NamedTuple):
    """A text, and the frame that it is from."""

    text: str
    frame: int


@dataclass(slots=True)
class Facts:
    """The facts about one session. scalars: those that are known, by field. lists: by field, in the order of the frames."""

    scalars: dict[str, Fact] = field(default_factory=dict)
    lists: dict[str, list[Fact]] = field(default_factory=lambda: {name: [] for name in LISTS})
