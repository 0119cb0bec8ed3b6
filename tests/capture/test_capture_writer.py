"""The packet reader and tshark read what the writers write."""

import io
import subprocess
from pathlib import Path

import pytest

from analyzer.capture.blocks import TLS_KEY_LOG, ByteOrder
from analyzer.capture.capture_writer import PcapngWriter, PcapWriter
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader

FRAMES = [(0, b""), (1_700_000_000_123_456_789, b"odd"), (4_294_967_295_999_999_999, bytes(200_000))]
ORDERS = pytest.mark.parametrize("order", ["little", "big"])


def read(data: bytes) -> tuple[PacketReader, list[tuple[int, bytes, int, int]]]:
    frame = Frame()
    packet_reader = PacketReader(frame)
    packet_reader.feed(data)
    seen = []
    while packet_reader.advance():
        seen.append((frame.at, frame.data[frame.start : frame.end], frame.wire_length, frame.link_type))
    packet_reader.close()
    return packet_reader, seen


def written(order: ByteOrder) -> bytes:
    file = io.BytesIO()
    writer = PcapngWriter(file, order, comment="why", hardware="h", os="o", application="a")
    first = writer.write_interface(1, 65535, "eth0", "the first")
    second = writer.write_interface(101)
    writer.write_secrets(b"CLIENT_RANDOM 01 02\n")
    for at, data in FRAMES:
        writer.write_frame(at, data, interface=first)
    writer.write_frame(7, b"cut", 1500, second, "a comment")
    return file.getvalue()


@ORDERS
def test_pcapng_comes_back(order: ByteOrder) -> None:
    packet_reader, seen = read(written(order))
    assert seen == [(at, data, len(data), 1) for at, data in FRAMES] + [(7, b"cut", 1500, 101)]
    assert packet_reader.comments == [(0, "why"), (4, "a comment")]
    assert packet_reader.secrets == [(TLS_KEY_LOG, b"CLIENT_RANDOM 01 02\n")]
    first = packet_reader.interfaces[0]
    assert (first.name, first.description, first.snap_length) == ("eth0", "the first", 65535)
    (section,) = packet_reader.sections
    assert (section.byte_order, section.hardware, section.os, section.application) == (order, "h", "o", "a")
    assert not packet_reader.anomalies


def test_names_that_are_not_utf_8_are_escaped() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file, comment="\udcff")
    writer.write_interface(1, 0, "x\udcff", "the \udcfe", "tcp")
    writer.write_frame(7, b"data", comment="x\udcff went down")
    packet_reader, _ = read(file.getvalue())
    (interface,) = packet_reader.interfaces
    assert (interface.name, interface.description) == ("x\\udcff", "the \\udcfe")
    assert packet_reader.comments == [(0, "\\udcff"), (1, "x\\udcff went down")]


@ORDERS
@pytest.mark.parametrize("microsecond", [True, False])
def test_pcap_comes_back(order: ByteOrder, microsecond: bool) -> None:
    file = io.BytesIO()
    writer = PcapWriter(file, 113, 100, order, microsecond)
    for at, data in FRAMES:
        writer.write_frame(at, data, len(data) + 1)
    packet_reader, seen = read(file.getvalue())
    tick = 1000 if microsecond else 1
    assert seen == [(at // tick * tick, data, len(data) + 1, 113) for at, data in FRAMES]
    assert packet_reader.interfaces[0].snap_length == 100


def test_an_interface_that_was_not_described_is_an_error() -> None:
    with pytest.raises(ValueError, match="interface 0"):
        PcapngWriter(io.BytesIO()).write_frame(0, b"")


@pytest.mark.peer("tshark")
@ORDERS
def test_tshark_reads_the_same(tmp_path: Path, order: ByteOrder) -> None:
    path = tmp_path / "written.pcapng"
    path.write_bytes(written(order))
    fields = [part for name in ("number", "time_epoch", "len", "cap_len", "comment") for part in ("-e", f"frame.{name}")]
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", *fields], capture_output=True, text=True, check=True)
    assert [line.split("\t") for line in done.stdout.splitlines()] == [
        ["1", "0.000000000", "0", "0", ""],
        ["2", "1700000000.123456789", "3", "3", ""],
        ["3", "4294967295.999999999", "200000", "200000", ""],
        ["4", "0.000000007", "1500", "3", "a comment"],
    ]
