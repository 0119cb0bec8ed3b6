"""Where each extension may stand, and the table of its body there (RFC 9846 section 4.3, and the RFC of each extension).

The same number has another body in another message: a client lists, a server picks. So there is one dictionary a place,
`EXTENSIONS[place][number]`, which the `extensions` rows of the messages hold; a table enters it by the decorator above it.
A number that no table has registered for a place stays bytes, as do the GREASE numbers of RFC 8701.
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
"""Where a server answers: in the ServerHello until TLS 1.2, encrypted from TLS 1.3 on."""


class Empty(Message):
    """An extension whose presence says all: `struct {}` (RFC 6066 section 3 and others)."""


def extension(number: int, *places: str) -> Callable[[type[Body]], type[Body]]:
    """Register the table below as the body of extension `number` in these places."""

    def enter(table: type[Body]) -> type[Body]:
        for place in places:
            if EXTENSIONS[place].setdefault(number, table) is not table:
                raise ValueError(f"two tables for extension {number} in {place}")
        return table

    return enter


def empty(number: int, *places: str) -> None:
    """Register extension `number` as one without a body in these places."""
    extension(number, *places)(Empty)
