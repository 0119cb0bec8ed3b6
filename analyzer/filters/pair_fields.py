"""The numbers of the pairs of addresses that talk: `eth.stream`, `ip.stream`, `ipv6.stream`, in the order of the capture."""

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS

MAX_PAIRS = 1 << 18
"""Pairs of a protocol that are remembered. Of more, the oldest are forgotten, and come back under a new number."""

_ADDRESSES = {
    KINDS.index("eth"): ("eth.stream", 0, 6),
    KINDS.index("ip"): ("ip.stream", 12, 4),
    KINDS.index("ipv6"): ("ipv6.stream", 8, 16),
}
"""By the kind of a header, the name of the field, where the two addresses begin, and how long one is."""


class PairFields:
    """The source of these fields."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[bytes, bytes], int]] = {name: {} for name, _, _ in _ADDRESSES.values()}
        self._counts = dict.fromkeys(self._known, 0)
        self._numbers: list[tuple[str, int]] = []

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._numbers.clear()
        layers = view.layers
        for index in range(layers.count):
            if layers.kind(index) in _ADDRESSES:
                name, at, n_bytes = _ADDRESSES[layers.kind(index)]
                header = layers.header(index)[at : at + 2 * n_bytes]
                if len(header) == 2 * n_bytes:
                    first, second = header[:n_bytes], header[n_bytes:]
                    self._numbers.append((name, self._number(name, (min(first, second), max(first, second)))))

    def _number(self, name: str, pair: tuple[bytes, bytes]) -> int:
        known = self._known[name]
        if pair not in known:
            if len(known) >= MAX_PAIRS:
                del known[next(iter(known))]
            known[pair] = self._counts[name]
            self._counts[name] += 1
        return known[pair]

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        for name, number in self._numbers:
            found.setdefault(name, []).append(Occurrence(number, None, 1))
        return found
