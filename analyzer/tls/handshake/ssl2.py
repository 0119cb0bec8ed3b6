"""Reads SSL 2.0 messages in plaintext, each in its own record (draft-hickman-netscape-ssl-00 section 1.1)."""

from analyzer.codec.errors import Incomplete, Malformed
from analyzer.codec.registry import registry
from analyzer.codec.runner import read
from analyzer.tls.events import HandshakeMessage, handshake_message
from analyzer.tls.messages.ssl2_tables import SSL2_MESSAGES
from analyzer.tls.record.record import Record

_NAMES = registry("ssl2_message_types").names


def read_ssl2(record: Record) -> HandshakeMessage | None:
    """Return the message in a record; None if its type is not known."""
    body = record.body
    table = SSL2_MESSAGES.get(body[0]) if body else None
    if table is None:
        return None
    decoded, problems = read(table, body, 1, len(body), 0, Malformed if record.length == len(body) else Incomplete)
    return handshake_message(
        body[0], _NAMES[body[0]], record.role, record.frame, record.at, record.length, body, decoded, problems, False
    )
