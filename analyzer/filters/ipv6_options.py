"""The options of IPv6 in Hop-by-Hop and Destination Options headers (RFC 8200 section 4.2, RFC 2473, 2675, 2711, 6275).

An option of a type that is not read here has its type and length.
"""

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import KINDS

MAX_OPTIONS = 512
"""Options that are read of one frame. A header has room for 2,046 of one byte."""

_HEADERS = frozenset({KINDS.index("ipv6.hopopts"), KINDS.index("ipv6.dstopts")})
_PAD1, _PADN = 0, 1
_NUMBERS = {4: ("ipv6.opt.tel", 1), 5: ("ipv6.opt.router_alert", 2), 194: ("ipv6.opt.jumbo", 4)}
"""Types whose value is one number: the field, and how many bytes it has."""
_HOME_ADDRESS = 201


class Ipv6Options:
    """The source of `ipv6.opt.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        layers = view.layers
        left = MAX_OPTIONS
        for index in range(layers.count):
            if layers.kind(index) not in _HEADERS:
                continue
            header, at = layers.header(index), 2
            while at < len(header) and left:
                left -= 1
                kind = header[at]
                end = at + 1 if kind == _PAD1 else at + 2 + int.from_bytes(header[at + 1 : at + 2])
                if end > len(header):
                    break
                _add_option(found, header[at:end])
                at = end
        return found


def _add_option(found: Found, option: bytes) -> None:
    kind, value = option[0], option[2:]
    _add(found, "ipv6.opt", None, option)
    _add(found, "ipv6.opt.type", kind, option[:1])
    _add(found, "ipv6.opt.type.action", kind >> 6, option[:1])
    _add(found, "ipv6.opt.type.change", bool(kind & 0x20), option[:1])
    _add(found, "ipv6.opt.type.rest", kind & 0x1F, option[:1])
    if kind == _PAD1:
        _add(found, "ipv6.opt.pad1", None, option)
        return
    _add(found, "ipv6.opt.length", option[1], option[1:2])
    name, n_bytes = _NUMBERS.get(kind, ("", 0))
    if kind == _PADN:
        _add(found, "ipv6.opt.padn", value, value)
    elif name and len(value) == n_bytes:
        _add(found, name, int.from_bytes(value), value)
    elif kind == _HOME_ADDRESS and len(value) == 16:
        _add(found, "ipv6.opt.mipv6.home_address", value, value)


def _add(found: Found, name: str, value: object, raw: bytes) -> None:
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]
