"""The fields of handshake messages: the field tables of `tls.messages` declare them, each beside its row (`described`).

A row has up to four names: its own, that of its length prefix, and both of each element of a vector. Types follow from the row:
a number is a UINT of its width, bytes are BYTES or a STRING, a list or a structure is NONE, which only is or is not there.
TYPES has what Wireshark declares in another way.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from analyzer.codec.field_kinds import EXTENSIONS as EXTENSION_BLOCK
from analyzer.codec.field_kinds import FIXED, OPAQUE, SELECT, UINT
from analyzer.codec.field_spec import FieldSpec, Span
from analyzer.codec.field_tables import spans as spans_of
from analyzer.filters.field import Field
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_strings import type_of, value_strings
from analyzer.tls.messages.extensions import EXTENSIONS
from analyzer.tls.messages.finish import NextProtocol
from analyzer.tls.messages.hello import ClientHello, DTLSClientHello
from analyzer.tls.messages.message_tables import (
    CLIENT_KEY_EXCHANGES,
    SERVER_KEY_EXCHANGES,
    TLS_1_2_HANDSHAKES,
    TLS_1_3_HANDSHAKES,
)
from analyzer.tls.messages.numbers import ENCRYPTED_CLIENT_HELLO
from analyzer.tls.messages.ssl2_tables import SSL2_MESSAGES

TYPES = {
    "tls.handshake.cert_url.url": "STRING",
    "tls.handshake.challenge": "NONE",
    "tls.handshake.clear_key_data": "NONE",
    "tls.handshake.connection_id": "NONE",
    "tls.handshake.dname": "NONE",
    "tls.handshake.encrypted_key": "NONE",
    "tls.handshake.extensions_alpn_str": "STRING",
    "tls.handshake.extensions_server_name": "STRING",
    "tls.handshake.hint": "BYTES",
    "tls.handshake.identity": "BYTES",
    "tls.handshake.key_arg": "NONE",
    "tls.handshake.session_id_hit": "BOOLEAN",
    "tls.handshake.session_id_length": "UINT16",
    "tls.sct.sct_extensions": "NONE",
    "tls.sct.sct_timestamp": "ABSOLUTE_TIME",
}
"""Types that do not follow from the row."""

ALSO_EMPTY = {"tls.handshake.extensions.session_ticket", "tls.handshake.session_ticket_nonce"}
"""Fields that are there without a byte too. Of the others, no byte is no field."""

_ECH = ENCRYPTED_CLIENT_HELLO.to_bytes(2)

_OF_DRAFTS = frozenset({30031, 30032, 51764})
"""Extensions that are read here (channel_id, trust_anchors), and have their bytes beside that, as in Wireshark."""

OF_EXTENSIONS = frozenset(
    {
        "tls.handshake.extension",
        "tls.handshake.extension.type",
        "tls.handshake.extension.len",
        "tls.handshake.extension.data",
    }
)
"""Fields that every extension has."""

_HEX = {"versions", "cipher_suites", "supported_groups", "signature_schemes", "ssl2_cipher_kinds"}
"""Registries whose numbers are written in hex."""

_BASES = {
    "dtls.use_srtp.protection_profile": "hex",
    "tls.handshake.cert_type.type": "hex",
    "tls.ech.echconfig.version": "hex",
    "tls.handshake.extensions_key_share_group": "dec",
    "tls.handshake.extensions_key_share_selected_group": "dec",
    "tls.handshake.server_curve_type": "hex",
    "tls.token_binding.version_major": "hex",
    "tls.token_binding.version_minor": "hex",
}
"""Bases that do not follow from the registry."""

DATAGRAMS = "dtls."
"""How the names begin that only DTLS has."""

_SESSION_ID_LENGTH = "dtls.handshake.session_id_length"
_OF_QUIC, _OF_TLS = "tls.quic.", "tls."
_MILLISECOND = 1_000_000
_LENGTH = "length:"


@cache
def message_fields() -> dict[str, Field]:
    """Return the fields of all messages of TLS, by name."""
    found = _fields(_specs_of([*_tables(), *SSL2_MESSAGES.values()]))
    return {name: field for name, field in found.items() if not name.startswith(DATAGRAMS)}


@cache
def datagram_fields() -> dict[str, Field]:
    """Return the fields of all messages of DTLS, by name: those of TLS under another name, and its own."""
    found = _fields(_specs_of([DTLSClientHello, *(table for table in _tables() if table is not NextProtocol)]))
    renamed = {name: f"d{name}" if name.startswith(_OF_TLS) else name for name in found if not name.startswith(_OF_QUIC)}
    fields = {new: replace(found[name], name=new) for name, new in renamed.items()}
    length = fields[_SESSION_ID_LENGTH]
    return fields | {_SESSION_ID_LENGTH: replace(length, bits=8)}  # two bytes are those of SSL 2.0


def _fields(specs: Iterator[FieldSpec]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for spec in specs:
        chosen = _example(spec)
        if spec.filter and spec.filter not in fields:
            fields[spec.filter] = _field(spec.filter, _type(chosen), spec.doc, chosen.registry)
        if spec.size_filter and spec.size_filter not in fields:
            fields[spec.size_filter] = _field(spec.size_filter, f"UINT{8 * (chosen.width or 1)}", f"{_LENGTH} {spec.doc}", "")
    return fields


@cache
def names_of_table(table: Any) -> frozenset[str]:
    """Return the names of all fields that a message of a table can have, in its extensions too."""
    return frozenset(name for spec in _specs_of([table]) for name in (spec.filter, spec.size_filter) if name)


def read_message(spans: list[Span], raw: bytes, found: Found, names: frozenset[str] | None = None, inner: bytes = b"") -> None:
    """Add the fields of a message. spans: of its body, as `field_tables.spans` returns them, from the start of `raw`.

    names: those that are asked for, None for all. inner: the hello that is in the extension encrypted_client_hello.
    """
    for span in spans:
        spec = span.spec
        if spec is None:
            if names is None or not names.isdisjoint(OF_EXTENSIONS):
                _read_extension(span, raw, found)
        elif names is None or spec.filter in names or spec.size_filter in names:
            _read_field(span, spec, spans, raw, found)
        if span.children:
            read_message(span.children, raw, found, names, inner)
        if inner and spec is None and raw[span.start : span.start + 2] == _ECH:
            read_message(spans_of(ClientHello, inner, 0, len(inner), 0), inner, found, names)


def _read_field(span: Span, spec: FieldSpec, beside: list[Span], raw: bytes, found: Found) -> None:
    """Add a field of a message. beside: the fields of the same structure."""
    if not spec.filter and not spec.size_filter:
        return
    chosen: Any = spec
    if spec.kind == SELECT and spec.cases is not None:
        on = next((one.value for one in beside if one.name == spec.on), None)
        chosen = spec.cases.get(on, spec.element)
        if spec.filter and _kinds()[spec.filter] is FieldType.UINT and (chosen is None or chosen.kind != UINT):
            return  # another form, which is no number
    width = 0 if chosen is None or chosen.kind in (UINT, FIXED) else chosen.width
    if spec.size_filter and width and span.end - span.start >= width:
        octets = raw[span.start : span.start + width]
        found.setdefault(spec.size_filter, []).append(Occurrence(int.from_bytes(octets), octets, 1))
    octets = raw[span.start + width : span.end]
    if not spec.filter or (not octets and spec.filter not in ALSO_EMPTY):
        return
    found.setdefault(spec.filter, []).append(Occurrence(_value(span, spec.filter, octets), octets, 1))


def _value(span: Span, name: str, octets: bytes) -> Any:
    kind = _kinds()[name]
    if kind is FieldType.ABSOLUTE_TIME:
        return span.value * _MILLISECOND if isinstance(span.value, int) else 0
    if kind is FieldType.UINT:
        return int.from_bytes(octets)
    if kind is FieldType.NONE:
        return None
    if kind is FieldType.BOOLEAN:
        return any(octets)
    return octets.decode("ascii", "replace") if kind is FieldType.STRING else octets


def _read_extension(span: Span, raw: bytes, found: Found) -> None:
    header = raw[span.start : span.start + 4]
    number = int.from_bytes(header[:2])
    body = raw[span.start + 4 : span.end]
    found.setdefault("tls.handshake.extension", []).append(Occurrence(None, header + body, 1))
    found.setdefault("tls.handshake.extension.type", []).append(Occurrence(number, header[:2], 1))
    found.setdefault("tls.handshake.extension.len", []).append(Occurrence(int.from_bytes(header[2:]), header[2:], 1))
    if isinstance(span.value, bytes) or number in _OF_DRAFTS:
        found.setdefault("tls.handshake.extension.data", []).append(Occurrence(body, body, 1))


def _field(name: str, kind: str, doc: str, registry: str) -> Field:
    wire, bits = type_of(TYPES.get(name, kind))
    values = value_strings(registry) if registry and wire is FieldType.UINT else None
    base = "none" if wire is not FieldType.UINT else "hex" if registry in _HEX else "dec"
    return Field(name, wire, doc[:1].upper() + doc[1:], values, _BASES.get(name, base), bits)


def _type(spec: FieldSpec) -> str:
    if spec.kind == UINT:
        return f"UINT{8 * spec.width}"
    if spec.kind in (OPAQUE, FIXED):
        return "STRING" if spec.text else "BYTES"
    return "NONE"


def _example(spec: FieldSpec) -> FieldSpec:
    """Return the spec that shows the type of a field: of a select, one that is not a structure, if there is one."""
    if spec.kind != SELECT or spec.cases is None:
        return spec
    plain = [case for case in (*spec.cases.values(), spec.element) if case is not None and case.kind in (UINT, OPAQUE, FIXED)]
    wide = [case for case in plain if case.width]
    example: FieldSpec = (wide or plain or [spec])[-1 if spec.element is not None else 0]
    return example


def _tables() -> Iterator[Any]:
    """Yield the tables of all messages, and of extensions."""
    yield from (*TLS_1_2_HANDSHAKES.values(), *TLS_1_3_HANDSHAKES.values(), *CLIENT_KEY_EXCHANGES.values())
    yield from (table for forms in SERVER_KEY_EXCHANGES.values() for table in forms)
    yield from (table for tables in EXTENSIONS.values() for table in tables.values())


@cache
def _kinds() -> dict[str, FieldType]:
    """Return the types of all fields of messages under the names of their rows."""
    found = {name: field.type for name, field in message_fields().items()}
    return found | {name: field.type for name, field in datagram_fields().items()}


def _specs_of(waiting: list[Any]) -> Iterator[FieldSpec]:
    """Yield the specs of these tables and of those in them, each table once."""
    seen = set()
    while waiting:
        table = waiting.pop(0)
        if table in seen:
            continue
        seen.add(table)
        for spec in table.specs:
            yield from _inside(spec, waiting)


def _inside(spec: FieldSpec, waiting: list[Any]) -> Iterator[FieldSpec]:
    """Yield a spec and those in it; the tables of structures are appended to `waiting`."""
    yield spec
    if spec.table is not None:
        waiting.append(spec.table)
    if spec.kind == EXTENSION_BLOCK and spec.cases is not None:
        waiting += spec.cases.values()
    inner = [spec.element, *(spec.cases.values() if spec.kind == SELECT and spec.cases is not None else ())]
    for one in inner:
        if one is not None:
            yield from _inside(one, waiting)
