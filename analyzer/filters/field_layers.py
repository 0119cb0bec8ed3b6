"""All fields of a packet by their layers, for `-T json` and `-T ek` without `-e`.

The layers are those of tshark, with the fields that the analyzer has under the same names. `-T json` nests them as tshark does
(`tree_shape.csv`): what belongs to a field stands beside it under its name with `_tree`, and under the name alone where the
field has no value. A field with several values has a list of them, as with tshark's `--no-duplicate-keys`; where tshark shows
a part several times, such as records of TLS, it is one here, with these lists. `-T ek` is flat.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_text import bulk_value, layer_writer_of
from analyzer.filters.field_type import FieldType
from analyzer.filters.packet_values import PacketValues
from analyzer.filters.value_strings import rows

_OWN = "analyzer"
_FIRST = ("frame", "eth", "sll", "vlan", "arp", "ip", "ipv6", "icmp", "icmpv6", "tcp", "udp", "tls")
_TREE = "_tree"
_VERSION = "ip.version"
_BULK_VERSION = "ip_ip_version"
_KIND, _LENGTH = "tcp.option_kind", "tcp.option_len"
_OPTIONS = "tcp.options"
_KINDS = {
    "tcp.options.eol": "0", "tcp.options.nop": "1", "tcp.options.mss": "2", "tcp.options.wscale": "3",
    "tcp.options.sack_perm": "4", "tcp.options.sack": "5", "tcp.options.timestamp": "8",
}  # fmt: skip
"""The options of TCP to which a kind and a length belong; those of others stand beside them."""

_WITHOUT_LENGTH = ("0", "1")

_Texts = dict[str, list[Any]]


class FieldLayers:
    """Makes the layers. fields: all that have to be found."""

    def __init__(self, table: FieldTable) -> None:
        families = table.families()
        order = [*(name for name in _FIRST if name in families), *(name for name in families if name not in (*_FIRST, _OWN))]
        self._layers = [(name, [field for field in families[name] if _is_shown(field)]) for name in order]
        self._writers = {field: layer_writer_of(field) for _, fields in self._layers for field in fields}
        self._parts = {name: _parts_of([field.name for field in fields]) for name, fields in self._layers}
        self._protocols = {name: table.get(name) for name, _ in self._layers}
        self.fields = frozenset(self._writers) | {field for name, _ in self._layers for field in families[name]}

    def tree(self, packet: PacketValues) -> dict[str, dict[str, Any]]:
        """Return the layers of a packet with their fields, as `-T json` has them."""
        found: dict[str, dict[str, Any]] = {}
        version: _Texts = {}
        for layer, fields in self._layers:
            texts: _Texts = {}
            for field in fields:
                values = packet.values(field)
                if values:
                    write = self._writers[field]
                    texts[field.name] = [write(value) for value in values]
            if texts.keys() == {_VERSION} and not self._is_there(layer, packet):
                version = texts  # IPv6 has it too, and no IPv4 need be there
            elif texts:
                found[layer] = _nested(self._parts[layer], "", texts)
            if layer == "ipv6" and texts and version:
                found[layer] = {_VERSION: _plain(version[_VERSION]), **found[layer]}
        return found

    def _is_there(self, layer: str, packet: PacketValues) -> bool:
        protocol = self._protocols[layer]
        return protocol is None or bool(packet.values(protocol))

    def bulk(self, packet: PacketValues) -> dict[str, dict[str, Any]]:
        """Return the same as `-T ek` has it: each layer flat, with the name of the layer before those of fields that are no
        protocols."""
        found: dict[str, dict[str, Any]] = {}
        version: dict[str, Any] = {}
        for layer, fields in self._layers:
            shown = {}
            for field in fields:
                values = packet.values(field)
                if values:
                    texts = [bulk_value(field, value) for value in values]
                    alone = field.type is FieldType.PROTOCOL or field.name in _KINDS
                    name = field.name if alone else f"{layer}_{field.name}"
                    shown[name.replace(".", "_")] = _plain(texts)
            if shown.keys() == {_BULK_VERSION} and not self._is_there(layer, packet):
                version = shown
            elif shown:
                found[layer] = shown
            if layer == "ipv6" and shown and version:
                shown[f"ipv6_{_VERSION}".replace(".", "_")] = version[_BULK_VERSION]
        return found


def _is_shown(field: Field) -> bool:
    """Return whether a field has a value beside what its layer says: a protocol has none."""
    return field.type is not FieldType.PROTOCOL or "." in field.name


@cache
def _shape() -> dict[str, list[str]]:
    """Return for each field the parts that it can belong to, in the order of tshark; an empty name is the layer."""
    return {row["field"]: row["parent"].split("|") for row in rows("tree_shape")}


def _parts_of(names: Sequence[str]) -> dict[str, list[str]]:
    """Return what belongs to each part of a layer, in order; the layer itself is the empty name."""
    shape = _shape()
    parts: dict[str, list[str]] = {}
    known = [name for name in shape if name in names]
    for name in (*known, *(name for name in names if name not in shape)):
        for part in shape.get(name, [""]):
            if part and part not in shape and part not in parts.get("", ()):  # a heading that is no field
                parts.setdefault("", []).append(part)
            parts.setdefault(part, []).append(name)
    return parts


def _nested(parts: Mapping[str, Sequence[str]], part: str, texts: _Texts) -> dict[str, Any]:
    """Return the fields of a part with their own parts. Of a field that belongs to several, each has the next value."""
    result: dict[str, Any] = {}
    for name in parts.get(part, ()):
        below = _nested(parts, name, texts) if name in parts else {}
        own = texts.get(name, [])
        several = _shape().get(name, ())
        if name in (_KIND, _LENGTH):
            own = _of_option(part, name, texts)
        elif len(several) > 1:
            own = own[several.index(part) :: len(several)]
        if own and not (below and not any(own)):
            result[name] = _plain(own)
            if below:
                result[name + _TREE] = below
        elif below and (own or name not in _shape()):
            result[name] = below
        else:
            result |= below  # what it would belong to is not there
    return result


def _of_option(part: str, name: str, texts: _Texts) -> list[Any]:
    """Return the kinds or the lengths of one option of TCP; those of options without a name where part is all options."""
    kinds = texts.get(_KIND, [])
    if name == _LENGTH:
        kinds = [kind for kind in kinds if kind not in _WITHOUT_LENGTH]
    pairs = zip(kinds, texts.get(name, []), strict=False)
    if part == _OPTIONS:
        return [text for kind, text in pairs if kind not in _KINDS.values()]
    return [text for kind, text in pairs if kind == _KINDS.get(part)]


def _plain(texts: Sequence[Any]) -> Any:
    return texts[0] if len(texts) == 1 else list(texts)
