"""Checks that no handshake message of TLS 1.3 stands on both sides of a change of keys (RFC 9846 section 5.1).

After some messages their sender uses other keys for its next record. So such a message has to be the end of its record: what
follows it there would be protected by keys that are not used any more. A receiver that accepts it can be made to read bytes in
plaintext, or under keys that others have, as part of the handshake.
"""

from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.messages.numbers import END_OF_EARLY_DATA, FINISHED, KEY_UPDATE, SERVER_HELLO

KEY_CHANGES = frozenset({SERVER_HELLO, FINISHED, END_OF_EARLY_DATA, KEY_UPDATE})
"""The messages after which their sender changes its keys. (What follows a ClientHello in its record is out of order anyway.)"""

ROLES = ("client", "server")


def check_alignment(handshake: Any, role: int, number: int, frame: int) -> None:
    """Add a finding if the record goes on after a message that changes the keys. Call this while the message is processed.

    handshake: the `SessionHandshake`. Nothing is said of a role whose messages the capture has not all.
    """
    reader, sender = handshake.readers[role], handshake.roles[role]
    rest = len(reader.data) - reader.pos
    if number not in KEY_CHANGES or rest <= 0 or sender.missed:
        return
    if number == FINISHED and sum(one.type == FINISHED and one.role == role for one in handshake.log.messages) > 1:
        return  # of an authentication after the handshake, which changes no keys
    name = registry("handshake_types").name(number)
    detail = (
        f"after the {name} of the {ROLES[role]}, which changes its keys, its record goes on with {rest} bytes of another "
        f"message ({rule(9846, '5.1')})"
    )
    handshake.log.add_finding("unaligned_key_change", "medium", detail, frame)
