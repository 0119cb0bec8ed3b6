"""A table of fields of every type, and packets whose values are given."""

from ipaddress import ip_address

from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.field import Field, FieldTable
from analyzer.filters.field_type import FieldType as T
from analyzer.filters.packet_values import Occurrence

TYPES = {1: "Client Hello", 2: "Server Hello", 11: "Certificate"}
TABLE = FieldTable(
    [
        Field("tcp", T.PROTOCOL, "TCP"),
        Field("tcp.port", T.UINT, "Port", bits=16),
        Field("tcp.len", T.UINT, "Length", bits=32),
        Field("tcp.flags.syn", T.BOOLEAN, "SYN", {1: "Set", 0: "Not set"}, bits=1),
        Field("tcp.delta", T.RELATIVE_TIME, "Time since"),
        Field("frame.time", T.ABSOLUTE_TIME, "Arrival"),
        Field("eth.src", T.ETHER, "Source"),
        Field("ip.src", T.IPV4, "Source"),
        Field("ip.addr", T.IPV4, "Address"),
        Field("ipv6.src", T.IPV6, "Source"),
        Field("http.host", T.STRING, "Host"),
        Field("http.request", T.BOOLEAN, "Request"),
        Field("data", T.BYTES, "Data"),
        Field("x.oid", T.OID, "Identifier"),
        Field("x.guid", T.GUID, "GUID"),
        Field("x.int", T.INT, "Signed", bits=32),
        Field("x.float", T.FLOAT, "Float", bits=64),
        Field("x.none", T.NONE, "Label"),
        Field("x.twice", T.UINT, "Ambiguous", {1: "one", 2: "same", 3: "Same"}, bits=8),
        Field("x.hex", T.UINT, "In hex", {1: "one"}, "hex", 16),
        Field("tls.type", T.UINT, "Type", TYPES, bits=8),
        Field("tls.version", T.UINT, "Version", bits=16),
        Field("ssl.type", T.UINT, "Type", TYPES, bits=8, deprecated="tls.type"),
        Field("ff", T.PROTOCOL, "A protocol whose name is a byte"),
    ]
)


class Made:
    """A packet with these values: `Made({"tcp.port": [80, 443]})`; an address may be text."""

    def __init__(self, values, layers=None, raw=None):
        self.found = {name: [ip_address(one).packed if "." in name and _is_address(name, one) else one for one in given]
                      for name, given in values.items()}  # fmt: skip
        self.layers, self.raw = layers or {}, raw or {}
        self.asked = []

    def has(self, field):
        self.asked.append("has")
        return bool(self.found.get(field.name))

    def values(self, field):
        self.asked.append("values")
        return self.found.get(field.name, [])

    def carried(self, field):
        return [value + b"carried" for value in self.found.get(field.name, [])]

    def occurrences(self, field):
        self.asked.append("occurrences")
        given = self.found.get(field.name, [])
        layers = self.layers.get(field.name, [1] * len(given))
        raw = self.raw.get(field.name, [None] * len(given))
        return [Occurrence(*one) for one in zip(given, raw, layers, strict=True)]


def _is_address(name, value):
    return isinstance(value, str) and TABLE.get(name).type.is_address


def passes(text, packet, **options):
    """Whether a packet, or one with these values, passes a filter."""
    return compile_filter(text, TABLE, **options).matches(packet if isinstance(packet, Made) else Made(packet))


def segment(payload, sequence, acknowledgment=0, flags=0x18, ports=(4000, 443)):
    """A TCP segment without options."""
    numbers = sequence.to_bytes(4) + acknowledgment.to_bytes(4)
    return ports[0].to_bytes(2) + ports[1].to_bytes(2) + numbers + bytes((0x50, flags)) + b"\xff\xff" + bytes(4) + payload
