"""SSL 2.0 as a session sees it: its few messages in plaintext, each in a record of its own (draft-hickman-netscape-ssl-00)."""

from typing import TYPE_CHECKING

from analyzer.codec.registry import registry
from analyzer.codec.runner import read
from analyzer.codec.trouble import Incomplete, Malformed
from analyzer.tls.facts import handshake_message
from analyzer.tls.messages.ssl2 import SSL2_MESSAGES

if TYPE_CHECKING:
    from analyzer.tls.session import Session

SSL2 = 0x0002
CLIENT_HELLO, CLIENT_MASTER_KEY, SERVER_HELLO = 1, 2, 4

_NAMES = registry("ssl2_message_types").names


def stays(body: bytes) -> bool:
    """Whether its sender goes on in records of SSL 2.0 after this CLIENT-HELLO; one for SSL 3.0 and later goes on in theirs."""
    return int.from_bytes(body[1:3], "big") == SSL2


def take(session: "Session", side: int, body: bytes, length: int, frame: int, at: int) -> None:
    """Take a record, which holds one message; after the hellos and the master key all is encrypted."""
    sender = session.sides[side]
    number = body[0] if body else -1
    table = SSL2_MESSAGES.get(number) if session.tls13 or not sender.ccs_frame else None
    if table is None:
        sender.encrypted_records += 1
        return
    decoded, problems = read(table, body, 1, len(body), 0, Malformed if length == len(body) else Incomplete)
    session.add(handshake_message(number, _NAMES[number], side, frame, at, length, body, decoded, problems))
    if number == CLIENT_HELLO:
        session.greeted = True
        session.readers[side].ssl2 = stays(body)
    elif number == CLIENT_MASTER_KEY:
        sender.ccs_frame = frame
    elif number == SERVER_HELLO:
        session.answered = True
        session.version = decoded.version or 0
        if decoded.certificate:
            session.certificates[side] = [decoded.certificate]
        sender.ccs_frame = frame
