"""The table `-z dns,tree` of tshark: messages of DNS by type, class, response code and size, and how fast they were answered.

Messages of mDNS and LLMNR do not count, nor do those that an error of ICMP quotes. As in tshark, the numbers of records of a
response count twice (questions, authorities, answers, additionals), the records of all its sections are answer types, and
milliseconds have the digits of a 32-bit number.
"""

from collections.abc import Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any

from analyzer.cli.frame_reading import View
from analyzer.cli.output import complain
from analyzer.cli.tshark_tree import TreeTap
from analyzer.filters.field_table import known_field
from analyzer.flows.flow import TCP
from analyzer.packet.layer_places import KINDS

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

MOST_ANSWERED = 1 << 17
"""Answers that are remembered, at most: what comes again is told from what nobody asked for."""

_MILLISECOND = 1_000_000
_NARROW = Struct("<f")
_LENGTH = 2
"""Bytes of the length in front of a message in TCP (RFC 1035 section 4.2.2)."""

_FIELDS = (
    "dns.flags.response", "dns.flags.opcode", "dns.flags.rcode", "dns.qry.type", "dns.qry.class", "dns.qry.name.len",
    "dns.count.labels", "dns.resp.type", "dns.count.queries", "dns.count.auth_rr", "dns.count.answers", "dns.count.add_rr",
    "dns.time", "dns.id",
)  # fmt: skip
_PROTOCOLS = ("dns",)
_ICMP, _ICMPV6 = KINDS.index("icmp"), KINDS.index("icmpv6")
_NAMED = (
    ("Query Type", "dns.qry.type", "Unknown packet type (%d)"), ("Answer Type", "dns.resp.type", "Unknown packet type (%d)"),
    ("Class", "dns.qry.class", "Unknown class (%d)"), ("rcode", "dns.flags.rcode", "Unknown rcode (%d)"),
    ("opcodes", "dns.flags.opcode", "Unknown opcode (%d)"),
)  # fmt: skip
"""The rows that are divided by a field, the field, and its numbers without a name."""
_LEVELS = ("1st Level", "2nd Level", "3rd Level", "4th Level or more")
_COUNTS = {
    "dns.count.queries": "no. of questions",
    "dns.count.auth_rr": "no. of authorities",
    "dns.count.answers": "no. of answers",
    "dns.count.add_rr": "no. of additionals",
}
_QUERIES, _ANSWERS, _SERVICE = "Query Stats", "Response Stats", "Service Stats"
_ANSWER_TIME, _UNASKED, _AGAIN = "request-response time (msec)", "no. of unsolicited responses", "no. of retransmissions"


class DnsCounter(TreeTap):
    """`-z dns,tree`."""

    title, first = "DNS", "Packet Type"

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        self._named = {name: known_field(name) for name in _FIELDS}
        self._messages = [known_field(name) for name in _PROTOCOLS]
        self.fields = frozenset((*self._named.values(), *self._messages))
        for name in (
            "Total Packets", "Response", "Query Type", "Answer Type", "Query Name", "Class", "rcode", "opcodes", "Payload size",
        ):  # fmt: skip
            self.prepare(name)
        self._answered: set[tuple[bytes, int]] = set()
        self.prepare(_QUERIES, "Qname Len")
        for name in _LEVELS:
            self.prepare(_QUERIES, "Label Stats", name)
        for name in _COUNTS.values():
            self.prepare(_ANSWERS, name)
        for name in (_ANSWER_TIME, _UNASKED, _AGAIN):
            self.prepare(_SERVICE, name)

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        values = view.values
        quoted = view.layers.has(_ICMP) or view.layers.has(_ICMPV6)
        message = None if values is None or quoted else next((one for one in self._messages if values.has(one)), None)
        if not self.begin(view, passed[0] and message is not None) or values is None or message is None:
            return
        found: dict[str, Sequence[Any]] = {name: values.values(field) for name, field in self._named.items()}
        answers = any(found["dns.flags.response"])
        self.count_along("Total Packets")
        self.count_along("Response", "Response" if answers else "Query")
        for above, name, unknown in _NAMED:
            for value in found[name] or ([0] if name == "dns.flags.rcode" else []):
                if answers or name != "dns.resp.type":
                    self.count_along(above, (self._named[name].values or {}).get(value, unknown % value))
        packet = view.layers.packet
        n_bytes = packet.payload_end - packet.payload + packet.missing
        self.measure(n_bytes - (_LENGTH if packet.protocol == TCP else 0), "Payload size")
        if answers:
            self._take_answer(found, packet.key())
        else:
            self._take_query(found)

    def _take_query(self, found: dict[str, Sequence[Any]]) -> None:
        for length in found["dns.qry.name.len"]:
            self.measure(length, _QUERIES, "Qname Len")
        for labels in found["dns.count.labels"]:
            if labels > 0:
                self.count_last(_QUERIES, "Label Stats", _LEVELS[min(labels, len(_LEVELS)) - 1])

    def _take_answer(self, found: dict[str, Sequence[Any]], key: bytes) -> None:
        for name, row in _COUNTS.items():
            for value in found[name]:
                self.measure(value, _ANSWERS, row)
                self.measure(value, _ANSWERS, row)
        for time in found["dns.time"]:
            self.measure(_NARROW.unpack(_NARROW.pack(time / _MILLISECOND))[0], _SERVICE, _ANSWER_TIME)
        for number in found["dns.id"]:
            if not found["dns.time"]:
                self.count_last(_SERVICE, _AGAIN if (key, number) in self._answered else _UNASKED)
            elif len(self._answered) < MOST_ANSWERED:
                self._answered.add((key, number))
                if len(self._answered) == MOST_ANSWERED:
                    complain(
                        f"-z dns,tree: {MOST_ANSWERED:,} answers are remembered, and no more: a later one that comes again"
                        " counts as unsolicited"
                    )
