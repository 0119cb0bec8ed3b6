"""Where each extension can be, and the table of its body there (RFC 9846 section 4.3, and the RFC of each extension).

The same number has a different body in different messages: for example, a client sends a list, and a server chooses one entry.
So there is one dictionary for each place, `EXTENSIONS[place][number]`, and the `extensions` fields of the messages use it. A
decorator registers a table there. A number without a table in a place stays bytes; so do the GREASE numbers of RFC 8701.
"""

from collections.abc import Callable
from typing import TypeVar

from analyzer.codec.field_tables import Message

EXTENSIONS: dict[str, dict[int, type[Message]]] = {
    "client_hello": {},
    "server_hello": {},
    "hello_retry_request": {},
    "encrypted_extensions": {},
    "certificate": {},
    "certificate_request": {},
    "new_session_ticket": {},
}
"""The tables by place and extension number."""

Body = TypeVar("Body", bound=Message)

ANSWER = ("server_hello", "encrypted_extensions")
"""The messages with a server's answer: ServerHello up to TLS 1.2, EncryptedExtensions since TLS 1.3."""


class Empty(Message):
    """An extension that has no content, only its presence counts: `struct {}` (RFC 6066 section 3 and others)."""


def extension(number: int, *places: str) -> Callable[[type[Body]], type[Body]]:
    """Register the decorated table as the body of extension `number` in these places.

    Raises ValueError if a place already has another table for this number.
    """

    def enter(table: type[Body]) -> type[Body]:
        for place in places:
            if EXTENSIONS[place].setdefault(number, table) is not table:
                raise ValueError(f"two tables for extension {number} in {place}")
        return table

    return enter


def empty(number: int, *places: str) -> None:
    """Register extension `number` as one without a body in these places."""
    extension(number, *places)(Empty)
