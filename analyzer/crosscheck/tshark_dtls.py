"""The facts that tshark gives of DTLS sessions, from the layers `dtls` that pyshark makes of its PDML.

DTLS has the messages of TLS, and tshark gives their fields the same names under `dtls` as under `tls`. What differs stands
here: a message comes in fragments, and is in the frame of the one that completes it (titled `(Reassembled)`); and it comes
again after loss, with the same number (RFC 6347 section 4.2.2). It counts once, where it came first, as in our record.
"""

from types import SimpleNamespace
from typing import Any

from analyzer.codec.registry import registry
from analyzer.crosscheck.facts import CLOSED, HELLO_RETRY, HELLO_RETRY_NAME
from analyzer.crosscheck.quic_facts import Found, shown

PREFIX = "d"
"""What stands before the name of a field of TLS in DTLS."""

STREAMS = 1 << 40
"""Added to tshark's `udp.stream`, so that no DTLS session has the number of a TCP stream."""

CLIENT_HELLO, SERVER_HELLO = 1, 2

LATE_FRAGMENT = "late_fragment"
"""What a fragment is called behind which, in its message, the end of the message came already. It is compared with nothing."""

_TYPES = registry("handshake_types").names


def as_tls(layer: Any) -> Any:
    """Return a layer that has the fields of a layer `dtls` under the names of TLS."""
    return SimpleNamespace(_all_fields={name.removeprefix(PREFIX): known for name, known in layer._all_fields.items()})


class DtlsFlights:
    """Knows which messages of one UDP stream came already, and of which the end came."""

    def __init__(self) -> None:
        self._seen: set[tuple[object, ...]] = set()
        self._ends: set[tuple[object, ...]] = set()
        self._random = ""

    def read(self, layer: Any, sender: object) -> tuple[Found, list[int]]:
        """Return the messages that a layer completes, and the types of those that can be read, which came for the first time.

        A ClientHello with another random begins another handshake, whose messages have the same numbers again. A message that
        tshark cannot open has no type. One that has, and no name in its title, is a fragment that tshark does not place.
        """
        found: Found = []
        types: list[int] = []
        known = zip(*(shown(layer, name) for name in _HEADER), strict=False)
        randoms = iter(_values(layer, "dtls.handshake.random", "raw_value"))
        titles = _values(layer, "dtls.handshake", "showname")
        n_opened = len(shown(layer, _HEADER[0]))
        for title in titles:
            named = ": " in title and not title.endswith(_CLOSED_TITLE)
            message = next(known, None) if named or n_opened == len(titles) else None
            if message is None:
                found.append(("handshake", CLOSED))
                continue
            number, offset, size = int(message[0]), int(message[3]), int(message[4])
            key = (sender, *message[:3])
            reaches_end = offset + size == int(message[2])
            if key in self._ends and not reaches_end:
                found.append((LATE_FRAGMENT, _TYPES[number]))
            if reaches_end:
                self._ends.add(key)
            if title.endswith(_FRAGMENT_TITLE) or not named:
                continue
            random = next(randoms, "") if number in (CLIENT_HELLO, SERVER_HELLO) else ""
            if number == CLIENT_HELLO and random not in ("", self._random):
                self._seen.clear()
                self._ends.clear()
                self._random = random
            if key not in self._seen:
                self._seen.add(key)
                types.append(number)
                retry = number == SERVER_HELLO and random == HELLO_RETRY
                found.append(("handshake", HELLO_RETRY_NAME if retry else _TYPES[number]))
        return found, types


_HEADER = (
    "dtls.handshake.type",
    "dtls.handshake.message_seq",
    "dtls.handshake.length",
    "dtls.handshake.fragment_offset",
    "dtls.handshake.fragment_length",
)
"""The fields that each fragment has (RFC 6347 section 4.2.2)."""

_CLOSED_TITLE, _FRAGMENT_TITLE = "Encrypted Handshake Message", "(Fragment)"


def _values(layer: Any, name: str, attribute: str) -> list[str]:
    container = layer._all_fields.get(name)
    return [] if container is None else [getattr(one, attribute) or "" for one in container.fields]
