"""Reads one DNS message as fields (RFC 1035 section 4, RFC 2782, RFC 3596, RFC 6891): questions, and the usual records.

A message that is cut or malformed has the fields up to there. A name is text with dots; the root is `<Root>`, and bytes that
are not printable ASCII stand as backslash escapes, so that a name cannot hide a zero.
"""

from collections.abc import Callable

from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence

MAX_RECORDS = 512
"""Questions and records that are read of one message. A datagram has room for 5,400 of the shortest."""

MAX_JUMPS = 32
"""Compression pointers that are followed in one name (RFC 1035 section 4.1.4)."""

_FLAGS = (
    ("response", 0x8000), ("authoritative", 0x0400), ("truncated", 0x0200), ("recdesired", 0x0100), ("recavail", 0x0080),
    ("z", 0x0040), ("authenticated", 0x0020), ("checkdisable", 0x0010),
)  # fmt: skip
_LLMNR = {"authoritative": "conflict", "recdesired": "tentative", "z": "", "checkdisable": ""}
"""What flags mean in LLMNR (RFC 4795 section 2.1.1), where two of them have no meaning."""
_OPT = 41
_SOA = ("serial_number", "refresh_interval", "retry_interval", "expire_limit", "minimum_ttl")
_COUNTS = ("queries", "answers", "auth_rr", "add_rr")


class DnsMessage:
    """Reads one message into `found`."""

    def __init__(self, data: bytes, protocol: str) -> None:
        self.data = data
        self.protocol = protocol
        self.at = 12
        self.found: Found = {protocol: [Occurrence(data, data, 1)]}
        if len(data) < 12:
            return
        self._add("dns.id", 0, 2)
        self._read_flags()
        counts = [int.from_bytes(data[at : at + 2]) for at in range(4, 12, 2)]
        for place, name in enumerate(_COUNTS):
            self._add(f"dns.count.{name}", 4 + 2 * place, 6 + 2 * place)
        left = MAX_RECORDS
        for _ in range(min(counts[0], left)):
            left -= 1
            if not self._read_question():
                return
        for _ in range(min(sum(counts[1:]), left)):
            if not self._read_record():
                return

    def _add(self, name: str, start: int, end: int, value: object = None) -> None:
        raw = self.data[start:end]
        number = int.from_bytes(raw) if value is None else value
        self.found.setdefault(name, []).append(Occurrence(number, raw, 1))  # type: ignore[arg-type]

    def _read_flags(self) -> None:
        flags = int.from_bytes(self.data[2:4])
        self._add("dns.flags", 2, 4)
        self._add("dns.flags.opcode", 2, 4, flags >> 11 & 15)
        for name, bit in _FLAGS:
            if self.protocol == "llmnr" and name in _LLMNR:
                if _LLMNR[name]:
                    self._add(f"dns.flags.{_LLMNR[name]}", 2, 4, bool(flags & bit))
            elif flags & 0x8000 or name not in ("authoritative", "recavail", "authenticated"):
                self._add(f"dns.flags.{name}", 2, 4, bool(flags & bit))
            elif name == "authenticated" and flags & bit:
                self._add("dns.flags.ad", 2, 4, True)
        if flags & 0x8000:
            self._add("dns.flags.rcode", 2, 4, flags & 15)

    def _read_question(self) -> bool:
        start = self.at
        name, self.at = self._name(start)
        if name is None or len(self.data) - self.at < 4:
            return False
        text = _text(name)
        self._add("dns.qry.name", start, self.at, text)
        self._add("dns.qry.name.len", start, self.at, len(text))
        self._add("dns.count.labels", start, self.at, max(1, len(name)))
        self._add("dns.qry.type", self.at, self.at + 2)
        self._add_class("dns.qry.class", self.at + 2)
        self.at += 4
        return True

    def _read_record(self) -> bool:
        start = self.at
        name, at = self._name(start)
        if name is None or len(self.data) - at < 10:
            return False
        self._add("dns.resp.name", start, at, _text(name))
        self._add("dns.resp.type", at, at + 2)
        kind = int.from_bytes(self.data[at : at + 2])
        if kind == _OPT:
            self._read_extended(at)
        else:
            self._add_class("dns.resp.class", at + 2)
            self._add("dns.resp.ttl", at + 4, at + 8)
        self._add("dns.resp.len", at + 8, at + 10)
        first = at + 10
        end = first + int.from_bytes(self.data[at + 8 : first])
        if end > len(self.data):
            return False
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, first, end)
        self.at = end
        return True

    def _read_extended(self, at: int) -> None:
        """Read what an OPT record has in place of class and time to live (RFC 6891 section 6.1.3)."""
        if self.protocol == "mdns":
            self._add("dns.resp.cache_flush", at + 2, at + 4, bool(self.data[at + 2] & 0x80))
        self._add("dns.rr.udp_payload_size", at + 2, at + 4)
        self._add("dns.resp.ext_rcode", at + 4, at + 5)
        self._add("dns.resp.edns0_version", at + 5, at + 6)
        self._add("dns.resp.z", at + 6, at + 8)
        flags = int.from_bytes(self.data[at + 6 : at + 8])
        self._add("dns.resp.z.do", at + 6, at + 8, bool(flags & 0x8000))
        self._add("dns.resp.z.reserved", at + 6, at + 8, flags & 0x7FFF)

    def _read_options(self, first: int, end: int) -> None:
        """Read the options of an OPT record (RFC 6891 section 6.1.2)."""
        while end - first >= 4:
            stop = first + 4 + int.from_bytes(self.data[first + 2 : first + 4])
            if stop > end:
                return
            self.found.setdefault("dns.opt", []).append(Occurrence(None, self.data[first:stop], 1))
            self._add("dns.opt.code", first, first + 2)
            self._add("dns.opt.len", first + 2, first + 4)
            if stop > first + 4:
                self._add("dns.opt.data", first + 4, stop, self.data[first + 4 : stop])
            first = stop

    def _add_class(self, name: str, at: int) -> None:
        """Add a class; multicast DNS uses its first bit for something else (RFC 6762 section 10.2)."""
        mask = 0x7FFF if "mdns" in self.found else 0xFFFF
        if mask == 0x7FFF and name == "dns.resp.class":
            self._add("dns.resp.cache_flush", at, at + 2, bool(self.data[at] & 0x80))
        self._add(name, at, at + 2, int.from_bytes(self.data[at : at + 2]) & mask)

    def _read_address(self, first: int, end: int) -> None:
        if end - first == 4:
            self._add("dns.a", first, end, self.data[first:end])

    def _read_address6(self, first: int, end: int) -> None:
        if end - first == 16:
            self._add("dns.aaaa", first, end, self.data[first:end])

    def _read_name(self, field: str, first: int) -> int:
        """Add a name as a field, and return where it ends."""
        name, at = self._name(first)
        if name is not None:
            self._add(field, first, at, _text(name))
        return at

    def _read_mail(self, first: int, end: int) -> None:
        if end - first > 2:
            self._add("dns.mx.preference", first, first + 2)
            self._read_name("dns.mx.mail_exchange", first + 2)

    def _read_texts(self, first: int, end: int) -> None:
        while first < end:
            stop = min(first + 1 + self.data[first], end)
            self._add("dns.txt.length", first, first + 1)
            self._add("dns.txt", first + 1, stop, self.data[first + 1 : stop].decode("utf-8", "replace"))
            first = stop

    def _read_authority(self, first: int, end: int) -> None:
        at = self._read_name("dns.soa.mname", first)
        at = self._read_name("dns.soa.rname", at)
        for place, name in enumerate(_SOA):
            if end - at >= 4 * place + 4:
                self._add(f"dns.soa.{name}", at + 4 * place, at + 4 * place + 4)

    def _read_service(self, first: int, end: int) -> None:
        if end - first > 6:
            for place, name in enumerate(("priority", "weight", "port")):
                self._add(f"dns.srv.{name}", first + 2 * place, first + 2 * place + 2)
            self._read_name("dns.srv.target", first + 6)

    def _name(self, at: int) -> tuple[list[bytes] | None, int]:
        """Return the labels of a name, None if it is damaged, and where the record goes on behind it."""
        data, behind = self.data, -1
        labels: list[bytes] = []
        for _ in range(MAX_JUMPS + 128):
            if at >= len(data):
                return None, at
            length = data[at]
            if length == 0:
                return labels, at + 1 if behind < 0 else behind
            if length >= 0xC0:
                if len(data) - at < 2:
                    return None, at
                behind = at + 2 if behind < 0 else behind
                at = (length & 0x3F) << 8 | data[at + 1]
            elif length > 63 or length >= len(data) - at:
                return None, at
            else:
                labels.append(data[at + 1 : at + 1 + length])
                at += 1 + length
        return None, at


def _text(labels: list[bytes]) -> str:
    return ".".join(_label(label) for label in labels) or "<Root>"


def _label(label: bytes) -> str:
    return "".join(chr(octet) if 32 < octet < 127 and octet != 92 else f"\\{octet:03d}" for octet in label)


_Reader = Callable[[DnsMessage, int, int], object]

_READERS: dict[int, _Reader] = {
    1: DnsMessage._read_address,
    2: lambda message, first, _: message._read_name("dns.ns", first),
    5: lambda message, first, _: message._read_name("dns.cname", first),
    6: DnsMessage._read_authority,
    12: lambda message, first, _: message._read_name("dns.ptr.domain_name", first),
    15: DnsMessage._read_mail,
    16: DnsMessage._read_texts,
    28: DnsMessage._read_address6,
    33: DnsMessage._read_service,
    41: DnsMessage._read_options,
}
