import io
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conversations import ACK, CLIENT, FIN, PSH, SERVER, START, SYN, Segment, Tap, packetise
from keyed import MILLISECOND, Talk, page, talk_of, without

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.engine import Engine, run
from analyzer.flows.connection import Connection
from analyzer.flows.listener import Listener
from analyzer.flows.sink import Sink
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.secrets.keylog import KeyLog
from analyzer.store.capture_as_plaintext import LARGEST_GAP, MAX_SEGMENT, PlainCapture, checksum


@dataclass
class Streams(Sink):
    """The data that a reader of TCP gets from a connection: the bytes of both sides, and a mark where some are missing."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.key = connection.originator.key
        self.data = [b"", b""]
        self.gaps: list[tuple[int, int, int]] = []
        self.closed = ""

    def feed(self, side, data, start, end, offset, frame, at):
        self.data[side] += data[start:end]

    def gap(self, side, offset, length, frame, at):
        self.gaps.append((side, len(self.data[side]), length))

    def close(self, reason, frame, at):
        self.closed = reason


class Both(Listener):
    def __init__(self) -> None:
        super().__init__()
        self.streams: list[Streams] = []

    def open(self, connection: Connection) -> Sink:
        self.streams.append(Streams(connection))
        return self.streams[-1]


@dataclass
class JsonVerdicts:
    """A capture that was read back: the data of each connection, and flags, payload size and time of each packet."""

    streams: list[Streams]
    packets: list[tuple[int, int, int]]
    sides: list[int]


def plaintext(path: Path, segments: Sequence[Segment], *talks: Talk, sessions: tuple[int, ...] = ()) -> JsonVerdicts:
    keys = KeyLog()
    for talk in talks:
        keys.feed(talk.keylog.encode())
    with path.open("wb") as file:
        plain = PlainCapture(file, sessions)
        tap = Tap()
        tap.engine = Engine(detailed=True, fields=False, keylog=keys, reads_data=False)
        tap.feed(*segments)
        tap.close()
        plain.take(tap.events)
        plain.close()
    return read_back(path)


def read_back(path: Path) -> JsonVerdicts:
    """Read a capture, and check every header: lengths and checksums must be right."""
    both = Both()
    connections = Connections(both)
    packet, packets, sides = Packet(), [], []
    for packet_reader in CaptureReader([str(path)]).packet_readers():
        while packet_reader.advance():
            frame = packet_reader.frame
            assert read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
            assert packet.problem == ""
            data = frame.data[frame.start : frame.end]
            ip = packet.ip - frame.start
            tcp = data[packet.transport - frame.start :]
            hosts = data[ip + 12 : ip + 20] if packet.ip_version == 4 else data[ip + 8 : ip + 40]
            if packet.ip_version == 4:
                assert ones_complement(data[ip : ip + 20]) == 0xFFFF
            assert ones_complement(hosts + struct.pack("!II", len(tcp), 6) + tcp) == 0xFFFF
            packets.append((packet.flags, packet.payload_end - packet.payload, frame.at))
            sides.append(int(packet.source_port == 443))
            connections.feed(packet, frame.number, frame.at)
    connections.close(len(packets), 0)
    return JsonVerdicts(both.streams, packets, sides)


def ones_complement(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) // 2 * 2])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


SCRIPT = (*page("/", b"one"), *page("/big", b"x" * 20_000))


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_both_streams_are_the_data_that_was_sent(tmp_path: Path, version: str):
    talk = talk_of(SCRIPT, version)
    written = plaintext(tmp_path / "plain", packetise(talk.flights), talk)
    (stream,) = written.streams
    assert tuple(stream.data) == talk.sent
    assert (stream.gaps, stream.closed) == ([], "fin")
    assert b"example.test\0" not in (tmp_path / "plain").read_bytes()  # of a ClientHello
    flags = [flags for flags, _, _ in written.packets]
    assert flags[:3] == [SYN, SYN | ACK, ACK]
    assert flags[-3:] == [FIN | ACK, FIN | ACK, ACK]
    assert {size for flag, size, _ in written.packets if not flag & ACK} == {0}
    assert max(size for _, size, _ in written.packets) == MAX_SEGMENT
    assert sum(bool(flag & PSH) for flag in flags) >= 4


def test_times_are_those_of_the_records(tmp_path: Path):
    talk = talk_of(SCRIPT)
    segments = packetise(talk.flights)
    written = plaintext(tmp_path / "plain", segments, talk)
    times = [at for _, _, at in written.packets]
    assert times == sorted(times)
    for side in (CLIENT, SERVER):
        carriers = {START + n * MILLISECOND for n, one in enumerate(segments) if one.side == side and one.payload}
        data = {at for (_, size, at), one in zip(written.packets, written.sides, strict=True) if size and one == side}
        assert data <= carriers
        assert len(data) > 1


def test_missing_data_is_a_gap(tmp_path: Path):
    talk = talk_of((*page("/", b"x" * 40_000), *page("/end", b"the end")))
    written = plaintext(tmp_path / "plain", without(packetise(talk.flights), SERVER, -20), talk)
    (stream,) = written.streams
    assert stream.data[CLIENT] == talk.sent[CLIENT]
    ((side, place, length),) = stream.gaps
    assert (side, length) == (SERVER, 700)
    data = stream.data[SERVER]
    assert data[:place] == talk.sent[SERVER][:place]
    assert data[place:] == talk.sent[SERVER][place - len(data) :]


def test_records_that_did_not_decrypt_are_a_gap_too(tmp_path: Path):
    talk = talk_of(SCRIPT)
    segments = packetise(talk.flights)
    big = next(n for n, one in enumerate(segments) if one.side == SERVER and len(one.payload) == 700 and n > 20)
    payload = segments[big].payload
    broken = bytes([*payload[:300], payload[300] ^ 1, *payload[301:]])
    segments[big] = Segment(SERVER, segments[big].sequence, segments[big].acknowledgement, segments[big].flags, broken)
    (stream,) = plaintext(tmp_path / "plain", segments, talk).streams
    assert [(side, length) for side, _, length in stream.gaps] == [(SERVER, 1)]


def test_missing_data_of_the_handshake_is_not_a_gap(tmp_path: Path):
    talk = talk_of(SCRIPT, "TLSv1_2")
    segments = packetise(talk.flights, mss=200)
    carriers = [one for one in segments if one.side == SERVER and one.payload]
    segments.remove(carriers[1])  # in the certificate
    (stream,) = plaintext(tmp_path / "plain", segments, talk).streams
    assert (tuple(stream.data), stream.gaps) == (talk.sent, [])


def test_a_missing_request_is_a_gap_before_the_response(tmp_path: Path):
    talk = talk_of(SCRIPT, "TLSv1_2")
    segments = packetise(talk.flights)
    carriers = [one for one in segments if one.side == CLIENT and one.payload]
    first = next(n for n, one in enumerate(carriers) if one.payload[:3] == b"\x17\x03\x03")
    segments.remove(carriers[first])
    (stream,) = plaintext(tmp_path / "plain", segments, talk).streams
    assert stream.gaps == [(CLIENT, 0, len(carriers[first].payload))]
    assert talk.sent[CLIENT].endswith(stream.data[CLIENT])
    assert stream.data[SERVER] == talk.sent[SERVER]


def test_only_the_chosen_sessions_and_only_decrypted_ones(tmp_path: Path):
    talks = [talk_of(page(f"/{n}", b"%d" % n)) for n in range(3)]
    segments = [one for n, talk in enumerate(talks) for one in packetise(talk.flights, ports=(50000 + n, 443))]
    written = plaintext(tmp_path / "a", segments, *talks, sessions=(1, 2))
    assert [tuple(stream.data) for stream in written.streams] == [talks[1].sent, talks[2].sent]
    assert [tuple(stream.data) for stream in plaintext(tmp_path / "b", segments, talks[0]).streams] == [talks[0].sent]
    assert plaintext(tmp_path / "c", segments).packets == []


def test_the_client_opens_the_connection_even_if_the_capture_begins_late(tmp_path: Path):
    talk = talk_of(SCRIPT)
    segments = packetise(talk.flights, syn=False)
    stray = Segment(SERVER, segments[0].acknowledgement, segments[0].sequence, ACK, b"")
    (stream,) = plaintext(tmp_path / "plain", [stray, *segments], talk).streams
    assert stream.key == b"\x0a\0\0\x01\x0a\0\0\x02" + struct.pack("!HH", 50000, 443)
    assert tuple(stream.data) == talk.sent


def test_ip_version_6(tmp_path: Path):
    talk = talk_of(SCRIPT)
    hosts = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.write_interface(101)
    for number, segment in enumerate(packetise(talk.flights)):
        tcp = segment.frame()[34:]
        head = struct.pack("!IHBB", 0x60000000, len(tcp), 6, 64) + hosts[segment.side] + hosts[1 - segment.side]
        writer.write_frame(START + number, head + tcp)
    keys = KeyLog()
    keys.feed(talk.keylog.encode())
    with (tmp_path / "plain").open("wb") as out:
        (tmp_path / "six").write_bytes(file.getvalue())
        plain = PlainCapture(out)
        engine = Engine(detailed=True, fields=False, keylog=keys, reads_data=False)
        run(CaptureReader([str(tmp_path / "six")]), engine, [plain])
    (stream,) = read_back(tmp_path / "plain").streams
    assert (tuple(stream.data), stream.key[:32]) == (talk.sent, b"".join(hosts))


def test_frames_are_put_in_order_within_a_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.capture_as_plaintext.MAX_HELD", 100)
    with (tmp_path / "plain").open("wb") as file:
        plain = PlainCapture(file)
        for at in (5, 3, 4, 9, 8, 1):
            plain.write(at, b"x" * 30)
        plain.close()
    times = []
    for packet_reader in CaptureReader([str(tmp_path / "plain")]).packet_readers():
        while packet_reader.advance():
            times.append(packet_reader.frame.at)
    assert times == [3, 4, 1, 5, 8, 9]


@pytest.mark.parametrize("n_bytes", [LARGEST_GAP - 1, LARGEST_GAP, LARGEST_GAP + 1, 1 << 29])
def test_a_very_large_gap_stays_within_the_window(tmp_path: Path, n_bytes: int):
    """The capture has a gap that is larger than a reader accepts."""
    talk = talk_of(((CLIENT, b"ask"), (SERVER, b"x" * 500), (SERVER, b"y" * 500)), "TLSv1_2", close=False)
    segments = packetise(talk.flights, mss=60_000, fin=False)
    last = segments.pop()
    assert last.side == SERVER
    written = plaintext(tmp_path / "plain", [*segments, replace(last, sequence=last.sequence + n_bytes)], talk)
    (stream,) = written.streams
    assert stream.data[SERVER] == talk.sent[SERVER]
    assert stream.gaps == [(SERVER, 500, min(n_bytes, LARGEST_GAP))]
    assert stream.gaps[0][2] < window(tmp_path / "plain")


def window(path: Path) -> int:
    """Return the window of the first packet, scaled by its window scale option (RFC 7323 section 2.2)."""
    for packet_reader in CaptureReader([str(path)]).packet_readers():
        assert packet_reader.advance()
        tcp = packet_reader.frame.data[packet_reader.frame.start + 34 : packet_reader.frame.end]
        options = tcp[20:]
        while options[0] != 3:
            options = options[1:] if options[0] == 1 else options[options[1] :]
        return int.from_bytes(tcp[14:16], "big") << options[2]
    raise AssertionError


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0", b"\xff\xff", b"\x01", b"\xff\xfe\0\x01", bytes(range(256)) * 5 + b"x"])
def test_the_internet_checksum(data: bytes):
    padded = data + b"\0" * (len(data) % 2)
    assert ones_complement(padded + checksum(data).to_bytes(2, "big")) == 0xFFFF


@pytest.mark.peer("tshark")
def test_tshark_reads_http_and_finds_no_anomaly(tmp_path: Path):
    talk = talk_of(SCRIPT)
    path = tmp_path / "plain.pcapng"
    plaintext(path, packetise(talk.flights), talk)

    def fields(filter_: str, *names: str) -> list[str]:
        options = [option for name in names for option in ("-e", name)]
        checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-d", "tcp.port==443,http"]
        command = ["tshark", "-r", str(path), *checks, "-Y", filter_, "-T", "fields", *options]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
        return done.stdout.splitlines()

    assert fields("http.request", "http.request.uri") == ["/", "/big"]
    assert fields("http.response", "http.response.code", "http.content_length") == ["200\t3", "200\t20000"]
    assert (
        fields("tcp.analysis.flags || tcp.checksum.status != 1 || ip.checksum.status != 1 || _ws.malformed", "frame.number")
        == []
    )
