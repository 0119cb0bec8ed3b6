"""The targets of the fuzzer: every reader of bytes that a stranger chose, each with what must hold for any bytes.

A target is a function that takes bytes. It returns if all is well, and raises for anything else: an exception that the reader
does not declare, or an AssertionError. `TARGETS` has them by name, with the inputs to begin with. They are small: what runs ten
thousand times a second finds more than what runs ten times.
"""

import bz2
import contextlib
import csv
import gzip
import io
import json
import lzma
import unicodedata
import zlib
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import lz4.frame
import orjson
import zstandard
from fuzz.chunked import chunks, joined, split
from fuzz.file_targets import bundle_lists, bundle_seeds, macro_seeds, macros, signature_seeds, signatures
from fuzz.frame_targets import (
    capture_forms,
    check_records,
    copy_seeds,
    field_seeds,
    field_values,
    frame_of,
    inner_seeds,
    inner_streams,
    packet_copies,
    sealed,
    sealed_seeds,
)
from fuzz.seeds import (
    DATAGRAM,
    END,
    GAP,
    LINK_TYPES,
    PROTOCOLS,
    RESET,
    STREAM,
    certificates,
    compressed,
    heard,
    key_log,
    key_logs,
    made_chain,
    packets,
    single_frames,
    talks,
    whole_files,
)
from hierarchy import AT, HOST

from analyzer.analysis.before_tls import before_tls
from analyzer.analysis.preamble import KEYS
from analyzer.application.content_codings import KNOWN, RATIO_FREE, RATIO_MAX, Stack
from analyzer.application.conversation import Conversation
from analyzer.application.dns_message import read_dns_message
from analyzer.application.qpack_sections import FieldSections
from analyzer.capture.decompress import STEP, compression_of, decompress
from analyzer.capture.frame import Frame
from analyzer.capture.live.bpf import compile_for_link_type
from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.packet_reader import PacketReader
from analyzer.codec.errors import Anomaly, Incomplete, Malformed, ParseError
from analyzer.engine import Engine
from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.dns_reader import DnsMessage
from analyzer.filters.field_table import field_table
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_tree import tree_record
from analyzer.filters.frame_values import FrameValues
from analyzer.flows.eap import read_eap, read_radius
from analyzer.flows.fragments import Defragmenter
from analyzer.flows.listener import Listener
from analyzer.flows.sink import Sink
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read, read_ip
from analyzer.packet.layer_places import LayerPlaces
from analyzer.packet.layers import tree
from analyzer.packet.packet import Packet
from analyzer.report.document import Document, Facts, Grid, Paragraph, Quoted, Section
from analyzer.report.html_page import write_html
from analyzer.report.markdown import write_markdown
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.private_keys import read_private_keys
from analyzer.secrets.psk_file import read_psks
from analyzer.store.chain_verdicts import Chains
from analyzer.store.eap_info import eap_text, port_text, radius_text
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record
from analyzer.text.escape import csv_row, harmless
from analyzer.text.language import retold
from analyzer.tls.dtls.handshake_flights import FlightReader
from analyzer.tls.dtls.record_headers import read_record
from analyzer.tls.quic.frames import FrameTaker, read_frames
from analyzer.tls.quic.packet_headers import NEGOTIATION, negotiated_versions, read_long
from analyzer.tls.quic.stream_reassembly import Reassembly
from analyzer.tls.record.record import GAP as MISSING
from analyzer.tls.record.record import LOST, NO_RECORD, Record, RecordSink
from analyzer.tls.record.record_reader import RecordReader
from analyzer.x509.certificate import certificate
from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.crl import issuer_of
from analyzer.x509.ct_logs import read_logs
from analyzer.x509.details import certificate_details
from analyzer.x509.judge import judge_chain
from analyzer.x509.ocsp_response import read_response
from analyzer.x509.pem import read_blocks

MAX_EXPANSION = 1 << 26
"""Bytes that a target lets a decompressor yield: more would only repeat what came before."""


class Target(NamedTuple):
    """A target. read: takes any bytes. seeds: returns the inputs to begin with. longest: bytes of an input.

    n_tried: inputs of the run in the tests, which take about half a second.
    """

    read: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    longest: int = 4096
    n_tried: int = 3000


# Captures.


def _frames_of(pieces: list[bytes]) -> tuple[list[tuple[Any, ...]], str]:
    reader = PacketReader(Frame())
    found: list[tuple[Any, ...]] = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while reader.advance():
                frame = reader.frame
                assert 0 <= frame.start <= frame.end <= len(frame.data)
                assert frame.at == -1 or frame.at >= 0
                assert frame.number == len(found) + 1
                found.append((frame.at, frame.link_type, frame.wire_length, bytes(frame.data[frame.start : frame.end])))
        reader.close()
    except ParseError as error:
        return found, str(error)
    return found, ""


def capture_file(data: bytes) -> None:
    """pcap and pcapng: the same frames and complaint however the file is cut, and no byte that it has not."""
    step, data = data[0] if data else 0, data[1:]
    whole = _frames_of([data])
    assert sum(len(frame[3]) for frame in whole[0]) <= len(data)
    cut = _frames_of(split(data, step))
    assert whole[0] == cut[0]
    assert whole[1] == cut[1] or (
        whole[1] and cut[1] and not whole[0]
    )  # what is no capture at all is named by more of its bytes


def compression(data: bytes) -> None:
    """gzip, zstd, lz4, xz, bzip2: pieces of bounded size, and only the errors of a parser."""
    kind = compression_of(data)
    if kind is None:
        return
    n_bytes = 0
    with contextlib.suppress(Malformed, Incomplete):
        for piece in decompress(kind, iter(split(data, 1000))):
            assert 0 < len(piece) <= STEP
            n_bytes += len(piece)
            if n_bytes > MAX_EXPANSION:
                break


# Packets.


def headers(data: bytes) -> None:
    """Link layers, tunnels, IP, TCP, UDP: places within the frame, and both readers of headers agree on what is innermost."""
    if not data:
        return
    link, data = LINK_TYPES[data[0] % len(LINK_TYPES)], data[1:]
    packet, places = Packet(), LayerPlaces()
    found = read(packet, data, 0, len(data), link, len(data))
    assert 0 <= packet.payload <= len(data)
    assert packet.payload_end <= len(data)
    fragment = places.find(data, 0, len(data), link, len(data))
    assert fragment == bool(packet.fragment)
    if found:
        assert packet.payload <= packet.payload_end
        assert len(packet.key()) in (12, 36)
        assert places.packet.key() == packet.key()


def field_tree(data: bytes) -> None:
    """The tree of a packet, of our tables and of scapy: every field is within its layer, and every layer within the frame."""
    if not data:
        return
    frame = Frame()
    frame.link_type, frame.data, frame.start = LINK_TYPES[data[0] % len(LINK_TYPES)], data[1:], 0
    frame.end = frame.wire_length = len(data) - 1
    for layer in tree(frame):
        assert 0 <= layer.offset <= layer.offset + layer.length <= len(data) - 1


def fragments(data: bytes) -> None:
    """IP fragments: what is put together is an IP packet of a legal size; the memory is bounded."""
    joiner, packet, at = Defragmenter(), Packet(), 0
    for number, chunk in enumerate(chunks(data), 1):
        at += chunk.marks * 100_000_000
        if read(packet, chunk.data, 0, len(chunk.data), 101, len(chunk.data)) or not packet.fragment:
            continue
        whole = joiner.feed(packet, at, number)
        if whole is not None:
            assert len(whole) <= 65_535 + 40
            read_ip(packet, whole, 0, len(whole))
    joiner.finish()
    for report in joiner.take_reports():
        assert report.frame >= 0


class _Streams(Sink):
    """Both streams of a connection: whatever comes, each is given once, in order, with its gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.next = [0, 0]
        self.n_bytes = 0
        self.closed = 0

    def feed(self, side: int, data: bytes, start: int, end: int, offset: int, frame: int, at: int) -> None:
        """Take bytes."""
        assert self.closed == 0
        assert 0 <= start < end <= len(data)
        assert offset == self.next[side]
        self.next[side] += end - start
        self.n_bytes += end - start

    def gap(self, side: int, offset: int, length: int, frame: int, at: int) -> None:
        """Take a gap."""
        assert length > 0
        assert offset == self.next[side]
        self.next[side] += length

    def conflict(self, side: int, offset: int, first: bytes, second: bytes, frame: int, at: int) -> None:
        """Take a conflict."""
        assert len(first) == len(second)
        assert first != second

    def close(self, reason: str, frame: int, at: int) -> None:
        """Take the end."""
        self.closed += 1


class _Opened(Listener):
    def __init__(self) -> None:
        super().__init__()
        self.sinks: list[_Streams] = []

    def open(self, connection: Any) -> Sink:
        """A reader for a connection."""
        self.sinks.append(_Streams())
        return self.sinks[-1]


def segments(data: bytes) -> None:
    """TCP: each side's stream comes once, in order; no byte is made up; every connection ends once."""
    listener = _Opened()
    connections, packet, at, n_sent = Connections(listener), Packet(), 0, 0
    for number, chunk in enumerate(chunks(data), 1):
        at += chunk.marks * 1_000_000
        if read(packet, chunk.data, 0, len(chunk.data), 1, len(chunk.data)) and packet.protocol == 6:
            n_sent += max(0, packet.payload_end - packet.payload)
            connections.feed(packet, number, at)
            if chunk.marks & 0x80:
                connections.tick(at)
    connections.close(1_000_000, at)
    assert sum(sink.n_bytes for sink in listener.sinks) <= n_sent
    assert all(sink.closed == 1 for sink in listener.sinks)


def sessions(data: bytes) -> None:
    """The engine with all keys: two writers of session records agree, and the records are JSON."""
    engine = Engine(detailed=True, keylog=key_log(), watches_http=True, watches_failures=True, watches_revocation=True)
    for number, chunk in enumerate(chunks(data), 1):
        engine.feed(frame_of(number, 1, chunk.data))
    engine.close()
    check_records(engine)


@cache
def _chains() -> Chains:
    return Chains()


# TLS.


class _Records(RecordSink):
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.n_bytes = 0

    def wants(self, role: int, content_type: int) -> int:
        """All of each record."""
        return True

    def take(self, record: Record) -> None:
        """Keep what is told."""
        body = bytes(record.body) if record.content_type not in (MISSING, LOST, NO_RECORD) else b""
        self.n_bytes += len(body)
        if record.content_type not in (MISSING, LOST, NO_RECORD):
            assert len(body) + record.missing <= record.length
        self.told.append((record.content_type, record.version, record.offset, body, record.length, record.missing))


def _read_records(pieces: list[tuple[int, bytes]]) -> _Records:
    sink = _Records()
    reader, offset = RecordReader(sink, 0), 0
    for number, (marks, piece) in enumerate(pieces, 1):
        if marks & GAP:
            length = 1 + len(piece)
            reader.gap(offset, length, number, number)
            offset += length
        elif piece:
            reader.feed(piece, 0, len(piece), offset, number, number)
            offset += len(piece)
    reader.finish(len(pieces) + 1, len(pieces) + 1)
    return sink


def records(data: bytes) -> None:
    """TLS records: no byte is made up; and without gaps it makes no difference where segments end."""
    found = chunks(data)
    pieces = [(chunk.marks & GAP, chunk.data) for chunk in found]
    sink = _read_records(pieces)
    assert sink.n_bytes <= sum(len(piece) for marks, piece in pieces if not marks)
    assert len(sink.told) <= 3 * (len(data) + 1)


@cache
def _tables() -> list[Any]:
    from every_table import tables

    return tables()


def messages(data: bytes) -> None:
    """Every table of a TLS message: reading never raises, and what is not faulted is written again as it was."""
    from every_table import same_bytes_or_problems

    if len(data) >= 2:
        listed = _tables()
        same_bytes_or_problems(listed[int.from_bytes(data[:2]) % len(listed)], data[2:])


def handshakes(data: bytes) -> None:
    """A session that is given records: any order, any content, any loss; its record is JSON, and both writers agree."""
    from sessions_by_hand import Hand

    hand = Hand()
    for chunk in chunks(data):
        if chunk.marks & GAP:
            hand.gap(chunk.side, 1 + len(chunk.data), bool(chunk.marks & END))
        elif chunk.marks & RESET:
            hand.conflict(chunk.side, hand.offsets[chunk.side], chunk.data, bytes(len(chunk.data)))
        else:
            hand.say(chunk.side, 20 + (chunk.marks >> 5) % 5, chunk.data[:16_640], version=0x0301 + (chunk.marks >> 1 & 3))
    hand.end()
    record = session_record(hand.session, True, _chains())
    assert json.loads(session_json(hand.session, True, _chains())) == json.loads(orjson.dumps(record))


# Secrets.


def key_log_file(data: bytes) -> None:
    """Key logs: the same secrets and problems however the file is cut; what is written out again is read as the same."""
    step, data = data[0] if data else 0, data[1:]
    whole, cut = KeyLog(), KeyLog()
    whole.feed(data)
    whole.close()
    for piece in split(data, step):
        cut.feed(piece)
    cut.close()
    lines = [(line.label, line.session, line.secret) for line in whole.lines()]
    assert lines == [(line.label, line.session, line.secret) for line in cut.lines()]
    assert whole.counts() == cut.counts()
    for line in list(whole.lines())[:5]:
        assert whole.by_label(line.session) == cut.by_label(line.session)
        again = KeyLog()
        again.feed(whole.write(line.session))
        again.close()
        assert again.secrets(line.session).items() <= whole.secrets(line.session).items()


def secret_files(data: bytes) -> None:
    """Pre-shared keys and private keys: a file is read, or said to be none."""
    with contextlib.suppress(DecryptionError):
        for identity, key in read_psks(data).items():
            assert isinstance(identity, bytes)
            assert key
    with contextlib.suppress(DecryptionError):
        read_private_keys(data, b"password" if data[:1] == b"p" else None)


# Certificates.


def x509_certificate(data: bytes) -> None:
    """Certificates: facts and details are JSON; no view of it raises; and only an unchanged one is valid."""
    facts = certificate(data)
    json.dumps(facts.record())
    json.dumps(certificate_details(data))
    view = CertificateView(data)
    for name in dir(CertificateView):
        if not name.startswith("_"):
            getattr(view, name)
    made = made_chain()
    verdict = judge_chain([data, *made.chain[1:]], roots=[made.root.der], at=AT, name=HOST)
    assert not verdict.valid or data == made.leaf.der
    assert all(problem.detail for problem in verdict.problems)


def ocsp_response(data: bytes) -> None:
    """OCSP: never raises; what was not read is said; and no answer that was changed is believed."""
    response = read_response(data)
    assert response.error is None or response.error != ""
    made = made_chain()
    judge_chain(made.chain, roots=[made.root.der], at=AT, name=HOST, ocsp=data)


def revocation_list(data: bytes) -> None:
    """CRLs: never raise, and change no verdict unless they are signed."""
    issuer_of(data)
    made = made_chain()
    assert judge_chain(made.chain, roots=[made.root.der], at=AT, name=HOST, crls=[data]).valid


def certificate_files(data: bytes) -> None:
    """PEM files and lists of transparency logs: read, or said to be none."""
    with contextlib.suppress(ParseError):
        assert all(read_blocks(data))
    with contextlib.suppress(ValueError):
        read_logs(data)


# Application data.


def _read_talk(protocol: bytes | None, data: bytes, halves: bool) -> tuple[list[dict[str, Any]], bool]:
    """The record of a talk, and whether nothing was found wrong with it. halves: each chunk comes in two pieces."""
    conversation = Conversation(protocol.decode() if protocol is not None else None)
    for number, chunk in enumerate(chunks(data), 1):
        stream, side = chunk.marks >> 5, chunk.side
        many = protocol in (b"h3", b"hq-interop", b"doq", b"h3-29")
        cut = len(chunk.data) // 2 if halves else 0
        if many and chunk.marks & DATAGRAM:
            conversation.feed_datagram(side, chunk.data, number, number)
        elif many and chunk.marks & RESET:
            conversation.reset_stream(stream, side, len(chunk.data), number, number)
        elif many and chunk.marks & GAP:
            conversation.gap_stream(stream, side, len(chunk.data) or None)
        elif many:
            if cut:
                conversation.feed_stream(stream, side, chunk.data[:cut], False, number, number)
            conversation.feed_stream(stream, side, chunk.data[cut:], bool(chunk.marks & END), number, number)
        elif chunk.marks & GAP:
            conversation.gap(side, len(chunk.data) or None)
        else:
            if cut:
                conversation.feed(side, chunk.data[:cut], number, number)
            conversation.feed(side, chunk.data[cut:], number, number)
    conversation.close(1_000_000)
    for message in conversation.messages:
        assert message is not None
    for finding in conversation.findings:
        assert finding.detail
    return conversation.record(), not conversation.findings


def application(data: bytes) -> None:
    """HTTP/0.9 to HTTP/3, WebSocket, DNS over QUIC, by ALPN or by content: records are JSON.

    Where the protocol is known and nothing is wrong, it makes no difference where the bytes of one side are cut. (Behind an
    error, reading begins again with a piece.)
    """
    if not data:
        return
    protocol = PROTOCOLS[data[0] % len(PROTOCOLS)]
    whole, calm = _read_talk(protocol, data[1:], False)
    json.dumps(whole)
    if calm and protocol is not None and protocol != b"unknown":
        assert whole == _read_talk(protocol, data[1:], True)[0]


def qpack(data: bytes) -> None:
    """QPACK: no bytes raise; a section has no more fields than its size allows."""
    notes: list[tuple[str, str, int]] = []
    sections = FieldSections(lambda code, detail, frame: notes.append((code, detail, frame)), 0)
    sections.allow(4096, 1)
    for number, chunk in enumerate(chunks(data), 1):
        if chunk.side:
            sections.feed_encoder(chunk.data, number)
        else:
            sections.needs(chunk.data)
            sections.decode(chunk.data, number)
    assert all(code and detail for code, detail, _ in notes)


def content_coding(data: bytes) -> None:
    """Content codings: no more bytes than the ratio allows, and no error but the two that are declared."""
    if len(data) < 2:
        return
    known = sorted(KNOWN)
    chosen = [known[number % len(known)] for number in (data[0] & 7, data[0] >> 3 & 7)[: 1 + (data[0] >> 7)]]
    stack, n_decoded = Stack(chosen), 0
    with contextlib.suppress(Malformed, Anomaly):
        for piece in split(data[1:], 700):
            for decoded in stack.decode(piece):
                n_decoded += len(decoded)
    assert n_decoded <= max(RATIO_FREE, RATIO_MAX * len(data))


def dns(data: bytes) -> None:
    """DNS, by the reader of DNS over QUIC and by that of the filters: JSON, and values within the message."""
    message = read_dns_message(data, 0, 0, 1, 1)
    if message is not None:
        json.dumps(message.record())
    for protocol in ("dns", "mdns"):
        for occurrences in DnsMessage(data, protocol).found.values():
            assert all(one.raw is None or len(one.raw) <= len(data) for one in occurrences)


def before(data: bytes) -> None:
    """What stands before TLS (PROXY, SOCKS, CONNECT, STARTTLS dialogues, RDP, TDS …): every byte is accounted for once."""
    pieces = [(chunk.side, chunk.data) for chunk in chunks(data)]
    found = before_tls(pieces)
    json.dumps(found)
    for role, key in ((0, "client"), (1, "server")):
        assert sum(one["bytes"][key] for one in found) == sum(len(piece) for side, piece in pieces if side == role)
    assert all(set(KEYS) <= set(one) for one in found)


# QUIC.


class _Taker(FrameTaker):
    def __init__(self) -> None:
        self.n_bytes = 0
        self.n_ranges = 0

    def take_ack(self, ranges: list[Any], ecn: Any) -> None:
        """Check the ranges."""
        self.n_ranges += len(ranges)
        assert all(0 <= first <= last for first, last in ranges)
        assert all(two[1] < one[0] for one, two in pairwise(ranges))

    def take_crypto(self, offset: int, data: bytes) -> None:
        """Check the place."""
        self.n_bytes += len(data)
        assert 0 <= offset < 1 << 62

    def take_stream(self, stream: int, offset: int, data: bytes, end: bool) -> None:
        """Check the place."""
        self.n_bytes += len(data)
        assert 0 <= offset < 1 << 62

    def take_datagram(self, data: bytes) -> None:
        """Count the bytes."""
        self.n_bytes += len(data)

    def take_token(self, token: bytes) -> None:
        """Count the bytes."""
        self.n_bytes += len(token)


def quic_frames(data: bytes) -> None:
    """The frames of a QUIC packet: nothing is given that is not in it, and ranges are in order."""
    taker = _Taker()
    problem = read_frames(data, taker)
    assert isinstance(problem, str)
    assert taker.n_bytes <= len(data)
    assert taker.n_ranges <= len(data)


def quic_headers(data: bytes) -> None:
    """Long headers: places within the datagram, and connection IDs that are in it."""
    header = read_long(data, 0, len(data))
    if header is None:
        return
    assert 0 < header.number_at <= len(data)
    assert len(header.destination) + len(header.source) + len(header.token) <= len(data)
    if header.type == NEGOTIATION:
        assert header.end == len(data)
        assert len(negotiated_versions(data, header)) <= len(data) // 4


def quic_streams(data: bytes) -> None:
    """Reassembly of CRYPTO and STREAM frames: what comes in order was sent at that place, and nothing is missing in it."""
    reassembly, out = Reassembly(), b""
    sent: dict[int, set[int]] = {}
    for chunk in chunks(data):
        offset = int.from_bytes(chunk.data[:2]) if len(chunk.data) >= 2 else 0
        piece = chunk.data[2:]
        for place, octet in enumerate(piece, offset):
            sent.setdefault(place, set()).add(octet)
        out += reassembly.feed(offset, piece)
        assert reassembly.next == len(out)
        assert reassembly.waiting == sum(len(one) for _, one in reassembly.pieces())
    assert all(octet in sent.get(place, ()) for place, octet in enumerate(out))


def quic_packets(data: bytes) -> None:
    """Initials and short packets of a client and a server with any frames in them: sealed here, opened by the engine."""
    from aioquic.quic.crypto import CryptoPair
    from quic_talks import Sent

    pairs = [CryptoPair(), CryptoPair()]
    for role, pair in enumerate(pairs):
        pair.setup_initial(b"abcdefgh", is_client=role == 0, version=1)
    engine, numbers = Engine(detailed=True, keylog=key_log()), [0, 0]
    for number, chunk in enumerate(chunks(data)[:60], 1):
        role, payload = chunk.side, chunk.data[:1300]
        if chunk.marks & STREAM:
            engine.feed(frame_of(number, 1, Sent(role, b"\x40" + b"abcdefgh" + payload + bytes(20)).frame()))
            continue
        payload += bytes(max(0, (1200 if number == 1 else 20) - len(payload)))
        ids = b"\x08abcdefgh\x08ijklmnop" if role == 0 else b"\x08ijklmnop\x08abcdefgh"
        length = (2 + len(payload) + 16 | 0x4000).to_bytes(2)
        head = b"\xc1\0\0\0\1" + ids + b"\0" + length + numbers[role].to_bytes(2)
        packet = pairs[role].encrypt_packet(head, payload, numbers[role])
        numbers[role] += 1
        engine.feed(frame_of(number, 1, Sent(role, packet).frame()))
    engine.close()
    check_records(engine)


# DTLS and EAP.


def dtls_records(data: bytes) -> None:
    """Records of DTLS, with plain and unified headers: within the datagram, one behind the other, whole or said to be cut."""
    if len(data) < 2:
        return
    id_length, cut, data = data[0] % 22 - 1, data[1], data[2:]
    record, pos = Record(0), 0
    while pos < len(data):
        after = read_record(record, data, pos, len(data), id_length, cut)
        if after < 0:
            break
        assert pos < after <= len(data)
        assert len(record.body) == after - pos == record.header + record.length - record.missing
        assert 0 <= record.missing <= cut
        pos = after


def dtls_flights(data: bytes) -> None:
    """Handshake messages out of fragments in any order: each has its length, and what waits is bounded."""
    reader = FlightReader()
    for number, chunk in enumerate(chunks(data), 1):
        if chunk.marks & RESET:
            reader.begin(chunk.marks >> 5)
        elif chunk.marks & GAP:
            if reader.waiting:
                reader.give_up()
        elif len(chunk.data) >= 12:
            reader.take(chunk.data[:12], chunk.data[12:], bool(chunk.marks & 2), number, number)
        while (message := reader.advance()) is not None:
            assert len(message.raw) == 4 + message.length
        assert reader.held >= 0
        assert all(len(message.head) <= message.length for message in reader.waiting.values())


def datagrams(data: bytes) -> None:
    """The engine with all keys on one UDP flow (DTLS, QUIC, RADIUS, DNS …): both writers of session records agree."""
    from quic_talks import Sent

    ports = (50000, 443)
    if data:
        ports = (50000, (443, 1812, 53, 5684, 4433, 3478)[data[0] % 6])
    engine = Engine(detailed=True, keylog=key_log())
    for number, chunk in enumerate(chunks(data[1:]), 1):
        engine.feed(frame_of(number, 1, Sent(chunk.side, chunk.data[:1400], ports).frame()))
    engine.close()
    check_records(engine)


def eap(data: bytes) -> None:
    """EAP, RADIUS and 802.1X: what is read is in the packet, and has a text."""
    found, radius = read_eap(data), read_radius(data)
    if found is not None:
        assert len(found.data) <= len(data)
        assert found.missing >= 0
        assert eap_text(data)
    if radius is not None:
        assert len(radius.eap) + len(radius.state) + len(radius.user) + len(radius.station) <= len(data)
    radius_text(data)
    assert all(port_text(data))


# The words of the analyst.


@cache
def _some_frames() -> tuple[Frame, ...]:
    chosen = [frames[:3] + frames[-2:] for frames in heard().frames[::6]]
    return tuple(
        frame_of(number, link, data) for number, (link, data) in enumerate((one for some in chosen for one in some), 1)
    )


def _check_refusal(error: FilterError) -> None:
    assert error.message
    assert 0 <= error.at <= len(error.text)
    assert error.length >= 0


def display_filter(data: bytes) -> None:
    """The filter language: an expression means something, or is refused with a place in it."""
    text = data.decode("utf-8", "replace")
    try:
        found = compile_filter(text, field_table())
    except FilterError as error:
        _check_refusal(error)
        return
    if found.tree is not None:
        json.dumps(tree_record(found.tree))
    if found.reference_fields:
        return
    values = FrameValues(found.fields)
    for frame in _some_frames()[:12]:
        values.take(frame)
        assert found.matches(values) in (True, False)


def bpf(data: bytes) -> None:
    """BPF: a text becomes a program or is refused."""
    with contextlib.suppress(CaptureError):
        compile_for_link_type(data.decode("utf-8", "replace"), 1, 262_144)


def texts(data: bytes) -> None:
    """Text of a capture: nothing that a terminal, a spreadsheet or a page obeys is left in what is shown of it."""
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"s" else "replace")
    for shown in (harmless(text), retold(harmless(text))):
        assert all(unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for one in shown)
    (row,) = csv.reader(io.StringIO(csv_row([text, text])))
    assert row[0] == row[1]
    assert row[0][:1] not in tuple("=+-@")


class _Elements(HTMLParser):
    """The elements of a page, each with the names of its attributes; and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.kinds: set[tuple[str, ...]] = set()
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the kind."""
        self.kinds.add((tag, *sorted(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


@cache
def _kinds_of_elements() -> set[tuple[str, ...]]:
    return _Elements(write_html(_document("x \x1b \u202e \ud800"))).kinds


def _document(text: str) -> Document:
    quoted = Quoted(text)
    body = (Paragraph((quoted,)), Grid("g", ["h"], [[(quoted,)]]))
    return Document("t", "en", Facts((("k", (quoted,)),)), Section("front", ["f"]), [Section("a", ["a"], body)], ())


def pages(data: bytes) -> None:
    """Reports: text of a capture adds no element to a page, and no markup to a Markdown document."""
    text = data.decode("utf-8", "surrogateescape" if data[:1] == b"s" else "replace")
    page = _Elements(write_html(_document(text)))
    assert page.kinds <= _kinds_of_elements()
    assert all(unicodedata.category(one) not in ("Cc", "Cs") or one in "\n\t" for one in page.text)
    write_markdown(_document(text)).decode()


def _link_frames() -> list[bytes]:
    return [*single_frames(), *(bytes([LINK_TYPES.index(link)]) + data for link, data in capture_forms() if link in LINK_TYPES)]


def _prefaces() -> list[bytes]:
    """Talks before TLS that are not in captures, beside those that are."""
    client = (
        b"PROXY TCP4 203.0.113.77 10.0.0.9 55555 443\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\2\3\4\5\6\7\x08\0\1\1\xbb",
        b"\5\1\0\5\1\0\1\x7f\0\0\1\1\xbb", b"\4\1\1\xbb\x7f\0\0\1user\0", b"CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f", b"\3\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\x01\0\0\0", b"\x12\1\0\x2f\0\0\1\0" + bytes(39),
        b"EHLO a\r\nSTARTTLS\r\n", b"a1 STARTTLS\r\n", b"AUTH TLS\r\n", b"STLS\r\n", b"\x20\0\0\1\x85\xae" + bytes(30),
        b"<stream:stream to='a'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b"0\x1d\2\1\1w\x18\x80\x16" + b"1.3.6.1",
        b"CAPABILITIES\r\nSTARTTLS\r\n", b"GET / HTTP/1.1\r\nUpgrade: TLS/1.0\r\n\r\n",
    )  # fmt: skip
    return [
        *heard().before,
        *(joined([(0, one), (1, b"220 ok\r\n"), (1, b"S"), (1, b"\5\0\5\0\0\1" + bytes(6))]) for one in client),
    ]


def _filters() -> list[bytes]:
    path = Path(__file__).resolve().parents[1] / "filters" / "filters.txt"
    return [line.encode() for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def _coded() -> list[bytes]:
    plain = b"the same again and again " * 40
    made = {
        "br": brotli.compress(plain), "deflate": zlib.compress(plain), "gzip": gzip.compress(plain, mtime=0),
        "zstd": zstandard.compress(plain),
    }  # fmt: skip
    known = sorted(KNOWN)
    return [bytes([known.index(name)]) + data for name, data in made.items() if name in known]


def _files() -> list[bytes]:
    def zipped(data: bytes) -> bytes:
        return gzip.compress(data, mtime=0)

    return [compressed(one) for one in (zipped, zstandard.compress, lz4.frame.compress, lzma.compress, bz2.compress)]


def _texts() -> list[bytes]:
    from mutations import HOSTILE_TEXTS

    return [*HOSTILE_TEXTS, "Ünïcödé 名前 ✓".encode(), b"the record is cut short after 17 bytes", b"s\xed\xa0\x80"]


def _dns() -> list[bytes]:
    question = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"
    answer = b"\x12\x34\x81\x80\0\1\0\2\0\0\0\1\3www\7example\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x0a\0\4\xc0\0\2\1"
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x0c"
    return [question, answer + alias + b"\0\0\x29\x10\0\0\0\0\0\0\0"]


def _quic() -> list[bytes]:
    return [
        b"\6\0\x20" + b"\1\0\0\x1c\3\3" + bytes(26), b"\2\x05\0\1\2\0\0", b"\x0f\0\1\4abcd", b"\x18\1\0\4abcd" + bytes(16),
        b"\x1c\1\2\3abc", b"\x30abc", b"\x07\3abc", b"\x1a12345678\x1b12345678\x1e", bytes(20), b"\3\x40\x20\0\1\1\0\1\1\1\1",
    ]  # fmt: skip


def _one(payload: bytes) -> bytes:
    return joined([(0, _quic()[0]), (0, payload), (1, payload)])


def _messages() -> list[bytes]:
    numbers = {table.__name__: number for number, table in enumerate(_tables())}
    return [numbers[name].to_bytes(2) + body for name, body in dict.fromkeys(heard().messages) if name in numbers]


def _handshakes() -> list[bytes]:
    made = []
    for frames in heard().frames[::4]:
        packet, pieces, client = Packet(), [], b""
        for link, data in frames[:40]:
            if read(packet, data, 0, len(data), link, len(data)) and packet.protocol == 6:
                payload = data[packet.payload : packet.payload_end]
                client = client or packet.key()
                if payload[:1] in (b"\x16", b"\x14", b"\x15", b"\x17") and len(payload) > 5:
                    side = 0 if packet.key() == client else 1
                    pieces.append((side | (payload[0] - 20) << 5 | 4 >> 1, payload[5 : 5 + int.from_bytes(payload[3:5])]))
        made.append(joined(pieces)[:12_000])
    return [one for one in made if one]


def _record_streams() -> list[bytes]:
    hello = b"\x16\3\1\0\5hello\x14\3\3\0\1\1\x17\3\3\0\x10" + bytes(16)
    return [joined([(0, hello)]), joined([(0, hello[:7]), (GAP, b"123"), (0, hello * 3)])]


def _datagrams() -> list[bytes]:
    made = []
    for frames in heard().frames:
        packet, pieces, client = Packet(), [], b""
        for link, data in frames[:30]:
            if read(packet, data, 0, len(data), link, len(data)) and packet.protocol == 17:
                client = client or packet.key()
                pieces.append((int(packet.key() != client), data[packet.payload : packet.payload_end]))
        if pieces:
            made.append(b"\0" + joined(pieces)[:12_000])
    return made


def _dtls_payloads() -> list[bytes]:
    return [chunk.data for made in _datagrams() for chunk in chunks(made[1:]) if chunk.data[:1] in (b"\x16", b"\x17", b"\x19")]


def _long_headers() -> list[bytes]:
    return [chunk.data for made in _datagrams() for chunk in chunks(made[1:])[:4] if chunk.data[:1] >= b"\xc0"]


def _fragments() -> list[bytes]:
    hello = b"\1\0\0\x0a\0\0"
    first, second = hello + b"\0\0\0\0\0\5abcde", hello + b"\0\0\5\0\0\5fghij"
    return [joined([(0, second), (0, first)]), *(joined([(0, data[13:])]) for data in _dtls_payloads()[:40])]


def _eap() -> list[bytes]:
    start, piece = b"\1\1\0\6\x0d\x20", b"\2\1\0\x0f\x0d\xc0\0\0\0\x20hello"
    radius = b"\1\1\0\x2b" + bytes(16) + b"\1\4ab" + b"\x4f\x11" + piece + b"\x18\2"
    return [start, piece, b"\3\1\0\4", b"\2\0\0\6" + start, radius, b"\1\1\0\x0b\x37\x31\0\0\0\1abc"]


TARGETS: dict[str, Target] = {
    "capture_file": Target(capture_file, lambda: [b"\x07" + data for data in whole_files()], 8192, n_tried=250),
    "compression": Target(compression, _files, 4096, n_tried=1500),
    "headers": Target(headers, _link_frames, 400),
    "field_tree": Target(field_tree, _link_frames, 400, n_tried=800),
    "field_values": Target(field_values, field_seeds, 6000, n_tried=60),
    "packet_copies": Target(packet_copies, copy_seeds, n_tried=1500),
    "fragments": Target(
        fragments, lambda: [joined((0, data[14:]) for _, data in frames[:20]) for frames in heard().frames[::5]], n_tried=500
    ),
    "segments": Target(segments, packets, 20_000, n_tried=300),
    "sessions": Target(sessions, packets, 20_000, n_tried=100),
    "records": Target(records, _record_streams),
    "messages": Target(messages, _messages),
    "handshakes": Target(handshakes, _handshakes, 12_000, n_tried=300),
    "sealed": Target(sealed, sealed_seeds, n_tried=300),
    "inner_streams": Target(inner_streams, inner_seeds, 8000, n_tried=100),
    "key_log_file": Target(key_log_file, lambda: [b"\x05" + data for data in key_logs()], n_tried=700),
    "secret_files": Target(
        secret_files, lambda: [b"identity 00112233445566778899aabbccddeeff\n", b"-----BEGIN PRIVATE KEY-----\n"]
    ),
    "x509_certificate": Target(x509_certificate, certificates, n_tried=300),
    "ocsp_response": Target(ocsp_response, lambda: [b"0\3\n\1\1", *certificates()[:2]], n_tried=200),
    "revocation_list": Target(revocation_list, lambda: certificates()[:3], n_tried=200),
    "certificate_files": Target(
        certificate_files, lambda: [b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", b"{}"]
    ),
    "signatures": Target(signatures, signature_seeds, n_tried=500),
    "bundle_lists": Target(bundle_lists, bundle_seeds, n_tried=1500),
    "macros": Target(macros, macro_seeds, 1000, n_tried=1500),
    "application": Target(application, talks, 20_000, n_tried=700),
    "qpack": Target(qpack, lambda: [joined([(1, b"\x3f\xe1\x1f\xc0\1a"), (0, b"\0\0\xd1\xd7"), (0, b"\2\0\x80")])]),
    "content_coding": Target(content_coding, _coded),
    "dns": Target(dns, _dns, 1000, n_tried=2000),
    "before": Target(before, _prefaces),
    "quic_frames": Target(quic_frames, _quic, 1500),
    "quic_headers": Target(quic_headers, _long_headers, 1500),
    "quic_streams": Target(quic_streams, lambda: [joined([(0, b"\0\0ab"), (0, b"\0\4ef"), (0, b"\0\1bcde")])]),
    "quic_packets": Target(
        quic_packets,
        lambda: [joined([(0, _quic()[0]), (1, b"".join(_quic())), (STREAM, bytes(30))]), *map(_one, _quic())],
        n_tried=300,
    ),
    "dtls_records": Target(dtls_records, lambda: [b"\1\0" + data for data in _dtls_payloads()[:60]], 1500),
    "dtls_flights": Target(dtls_flights, _fragments),
    "datagrams": Target(datagrams, _datagrams, 12_000, n_tried=200),
    "eap": Target(eap, _eap, 1500),
    "display_filter": Target(display_filter, _filters, 300, n_tried=1000),
    "bpf": Target(
        bpf, lambda: [b"tcp port 443", b"host 192.0.2.1 and not udp", b"ether[0] & 1 != 0 or (vlan 5 && ip6)"], 200, n_tried=60
    ),
    "texts": Target(texts, _texts, 400),
    "pages": Target(pages, _texts, 400, n_tried=200),
}
"""All targets by name."""
