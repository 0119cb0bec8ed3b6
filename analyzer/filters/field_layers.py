"""All fields of a packet by their layers, for `-T json` and `-T ek` without `-e`.

The layers are those of tshark, with the fields that the analyzer has under the same names. tshark nests fields in others, and
repeats a key; here a layer is flat, and a field with several values has a list of them, as with its `--no-duplicate-keys`.
"""

from typing import Any

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_text import bulk_value, layer_writer_of
from analyzer.filters.field_type import FieldType
from analyzer.filters.packet_values import PacketValues

_OWN = "analyzer"
_FIRST = ("frame", "eth", "sll", "vlan", "arp", "ip", "ipv6", "icmp", "icmpv6", "tcp", "udp", "tls")


class FieldLayers:
    """Makes the layers. fields: all that have to be found."""

    def __init__(self, table: FieldTable) -> None:
        families = table.families()
        order = [*(name for name in _FIRST if name in families), *(name for name in families if name not in (*_FIRST, _OWN))]
        self._layers = [(name, [field for field in families[name] if _is_shown(field)]) for name in order]
        self._writers = {field: layer_writer_of(field) for _, fields in self._layers for field in fields}
        self.fields = frozenset(self._writers) | {field for name, _ in self._layers for field in families[name]}

    def tree(self, packet: PacketValues) -> dict[str, dict[str, Any]]:
        """Return the layers of a packet with their fields, as `-T json` has them."""
        return self._made(packet, lambda layer, field: field.name, lambda field, value: self._writers[field](value))

    def bulk(self, packet: PacketValues) -> dict[str, dict[str, Any]]:
        """Return the same as `-T ek` has it."""
        return self._made(packet, lambda layer, field: f"{layer}_{field.name}".replace(".", "_"), bulk_value)

    def _made(self, packet: PacketValues, name: Any, write: Any) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for layer, fields in self._layers:
            shown = {}
            for field in fields:
                values = packet.values(field)
                if values:
                    texts = [write(field, value) for value in values]
                    shown[name(layer, field)] = texts[0] if len(texts) == 1 else texts
            if shown:
                found[layer] = shown
        return found


def _is_shown(field: Field) -> bool:
    """Return whether a field has a value beside what its layer says: a protocol has none."""
    return field.type is not FieldType.PROTOCOL or "." in field.name
