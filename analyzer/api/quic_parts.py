"""What the record of a session says of QUIC beside TLS, as typed objects; see `session_parts`."""

from typing import Any

from analyzer.api.endpoint_object import Endpoint
from analyzer.api.typed_record import Record
from analyzer.store.declaration import Schema, find
from analyzer.store.schema import DEFINITIONS, SESSION


def _part(path: str) -> Schema:
    return find(SESSION, ["quic", *path.split(".")])


class QuicPath(Record, declared=_part("paths.0")):
    """Addresses that a connection used, from a frame on."""

    client: Endpoint
    server: Endpoint
    frame: int


class QuicConnectionIds(Record, declared=_part("connection_ids")):
    """The connection IDs under which each side is reached, in hex."""

    client: tuple[str, ...]
    server: tuple[str, ...]


class QuicParameters(Record, declared=_part("transport_parameters")):
    """The transport parameters of each side; None where they cannot be seen."""

    client: tuple[dict[str, Any], ...] | None
    server: tuple[dict[str, Any], ...] | None


class QuicPacketCounts(Record, declared=_part("packets.client")):
    """Packets of one side that were opened, by encryption level."""

    initial: int
    early_data: int
    handshake: int
    application: int


class QuicPackets(Record, declared=_part("packets")):
    """Packets that were opened, by the side that sent them."""

    client: QuicPacketCounts
    server: QuicPacketCounts


class QuicBySide(Record, declared=_part("missing")):
    """A number of packets, by the side that sent them."""

    client: int
    server: int


class QuicUpdates(Record, declared=_part("key_updates")):
    """Frames in which each side began to use new keys."""

    client: tuple[int, ...]
    server: tuple[int, ...]


class QuicSpin(Record, declared=_part("spin_bit")):
    """Whether the spin bit of each side changes; None without packets."""

    client: bool | None
    server: bool | None


class QuicEcnCounts(Record, declared=_part("ecn.client")):
    """Marks of congestion that one side received."""

    ect0: int
    ect1: int
    ce: int


class QuicEcn(Record, declared=_part("ecn")):
    """Marks of congestion that each side reports; None where it reports none."""

    client: QuicEcnCounts | None
    server: QuicEcnCounts | None


class QuicSentEcnCounts(Record, declared=_part("ecn_sent.client")):
    """ECN codepoints in the IP headers of the packets that one side sent."""

    not_ect: int
    ect0: int
    ect1: int
    ce: int


class QuicSentEcn(Record, declared=_part("ecn_sent")):
    """ECN codepoints in the IP headers of the packets of each side; None where none was read."""

    client: QuicSentEcnCounts | None
    server: QuicSentEcnCounts | None


class QuicClose(Record, declared=_part("close")):
    """The first CONNECTION_CLOSE."""

    sender: str
    frame: int
    kind: str
    code: int
    name: str | None
    reason: str


class QuicReset(Record, declared=_part("stateless_reset")):
    """The first stateless reset."""

    sender: str
    frame: int


class Quic(Record, declared=DEFINITIONS["quic"]):
    """What QUIC shows of a session beside TLS (RFC 9000)."""

    versions: tuple[str, ...]
    offered_versions: tuple[str, ...] | None
    retries: tuple[int, ...]
    original_connection_id: str
    connection_ids: QuicConnectionIds
    paths: tuple[QuicPath, ...]
    transport_parameters: QuicParameters
    packets: QuicPackets
    missing: QuicBySide
    unacknowledged: QuicBySide
    unopened: int
    key_updates: QuicUpdates
    spin_bit: QuicSpin
    ecn: QuicEcn
    ecn_sent: QuicSentEcn
    handshake_done: int | None
    close: QuicClose | None
    stateless_reset: QuicReset | None


class DnsQuestion(Record, declared=find(SESSION, ["dns", "0", "questions", "0"])):
    """What a DNS message asks for."""

    name: str
    type: str


class DnsAnswer(Record, declared=find(SESSION, ["dns", "0", "answers", "0"])):
    """One resource record of the answer section of a DNS message."""

    name: str
    type: str
    ttl: int
    data: str


class DnsMessage(Record, declared=DEFINITIONS["dns_message"]):
    """One message of DNS over QUIC (RFC 9250)."""

    stream: int
    sender: str
    frame: int
    size: int
    response: bool
    rcode: str | None
    questions: tuple[DnsQuestion, ...]
    answers: tuple[DnsAnswer, ...]
