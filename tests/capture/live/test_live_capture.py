"""Captures real interfaces in a network namespace of the test: times, tags, lengths, filters, drops, interfaces that go."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from live_network import Network, ethernet, frames_of, udp

from analyzer.capture.live import ring_capture, ring_socket
from analyzer.capture.live.bpf import Program, attach_filter
from analyzer.capture.live.live_capture import CaptureError, LiveCapture, LiveOptions, new_groups
from analyzer.engine.engine import Engine

BACKENDS = pytest.mark.parametrize("backend", ["ring", "scapy"])


@contextmanager
def capturing(*interfaces: str, **options: object) -> Iterator[LiveCapture]:
    capture = LiveCapture(interfaces, LiveOptions(**options))  # type: ignore[arg-type]
    capture.open()
    try:
        yield capture
    finally:
        capture.close()


def rest_of(capture: LiveCapture) -> list[bytes]:
    """Stop the capture, and return the frames that it still delivers."""
    capture.stop()
    found = []
    for reader in capture.packet_readers():
        while reader.advance():
            found.append(reader.frame.data[reader.frame.start : reader.frame.end])
    return found


@BACKENDS
def test_frames_come_whole_in_order_and_once(network: Network, backend: str) -> None:
    sent = [ethernet(number, 60 + number) for number in range(100)]
    with capturing(network.far, backend=backend) as capture:
        network.send(*sent)
        captured = frames_of(capture, len(sent))
        assert [frame.data for frame in captured] == sent
        assert [frame.number for frame in captured] == list(range(1, 101))
        assert {(frame.link_type, frame.interface) for frame in captured} == {(1, 0)}
        assert [frame.wire_length for frame in captured] == [len(frame) for frame in sent]
        assert rest_of(capture) == []


@BACKENDS
def test_times_are_those_of_the_kernel(network: Network, backend: str) -> None:
    with capturing(network.far, backend=backend) as capture:
        before = time.time_ns()
        network.send(*map(ethernet, range(20)))
        after = time.time_ns()
        time.sleep(0.2)  # what is read late has an early time all the same
        times = [frame.at for frame in frames_of(capture, 20)]
    microsecond = 1000
    assert before - microsecond <= times[0] <= times[-1] <= after + microsecond
    assert times == sorted(times)
    if backend == "ring":
        assert any(at % microsecond for at in times)


@BACKENDS
def test_a_vlan_tag_is_put_back(network: Network, backend: str) -> None:
    plain = ethernet(1, 80)
    tagged = plain[:12] + bytes.fromhex("8100a005") + plain[12:]
    service = plain[:12] + bytes.fromhex("88a80007") + plain[12:]
    stacked = plain[:12] + bytes.fromhex("88a80007") + tagged[12:]
    zero = plain[:12] + bytes.fromhex("81000000") + plain[12:]
    sent = [tagged, plain, service, stacked, zero]
    with capturing(network.far, backend=backend) as capture:
        network.send(*sent)
        captured = frames_of(capture, len(sent))
    assert [frame.data for frame in captured] == sent
    assert [frame.wire_length for frame in captured] == [84, 80, 84, 88, 84]


@BACKENDS
def test_each_packet_of_the_loopback_comes_once(network: Network, backend: str) -> None:
    with capturing("lo", backend=backend) as capture, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(10):
                sender.sendto(b"number %d" % number, receiver.getsockname())
        payloads = [frame.data[42:] for frame in frames_of(capture, 10)] + [frame[42:] for frame in rest_of(capture)]
    assert payloads == [b"number %d" % number for number in range(10)]


def test_any_gives_cooked_packets_of_every_interface_once(network: Network) -> None:
    tagged = udp(7, 9)[:12] + bytes.fromhex("81000005") + udp(7, 9)[12:]
    with capturing("any") as capture, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"round", ("127.0.0.1", 9))
        network.send(tagged)
        captured = frames_of(capture, 4)
        received = capture.statistics()[0].received
    near, far = (socket.if_nametoindex(name).to_bytes(4, "big") for name in (network.near, network.far))
    assert {frame.link_type for frame in captured} == {276}
    assert received == 4
    packet, answer, sent, arrived = sorted((frame.data for frame in captured), key=lambda data: (data[4:8], len(data)))
    assert packet[:12] == bytes.fromhex("080000000000000103040006"), "IPv4, lo, of type loopback, to this host"
    assert answer[:12] == packet[:12], "ICMP: nobody listens there"
    body = bytes.fromhex("00050800") + udp(7, 9)[14:]
    assert {sent, arrived} == {
        bytes.fromhex("81000000") + index + bytes.fromhex("0001" + direction + "060200000000010000") + body
        for index, direction in ((near, "04"), (far, "01"))
    }


FLOOD = """
import socket, sys
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sender.bind((sys.argv[1], 0))
frames = [bytes.fromhex(word) for word in sys.argv[2:]]
print(flush=True)
while True:
    for frame in frames:
        sender.send(frame)
"""


@contextmanager
def flooded(network: Network, *frames: bytes) -> Iterator[None]:
    """Send frames from another process, without a pause."""
    words = [sys.executable, "-c", FLOOD, network.near, *(frame.hex() for frame in frames)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as flooding:
        try:
            assert flooding.stdout is not None
            flooding.stdout.readline()
            yield
        finally:
            flooding.kill()


def test_a_filter_is_there_before_the_first_packet(network: Network) -> None:
    """While frames arrive without a pause, captures are opened. None of them ever sees a frame that does not match."""
    with flooded(network, *[udp(0, 1000)] * 9, udp(0, 2000)):
        for _ in range(8):
            with capturing(network.far, bpf="udp dst port 2000") as capture:
                captured = frames_of(capture, 50)
                assert len(captured) >= 50
                assert {frame.data[36:38] for frame in captured} == {(2000).to_bytes(2, "big")}


def test_what_arrives_while_the_filter_is_set_is_not_captured(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right before each filter is set, a frame arrives that does not match it."""

    def attach_late(packets: socket.socket, program: Program) -> None:
        network.send(udp(0, 1000))
        attach_filter(packets, program)

    monkeypatch.setattr(ring_socket, "attach_filter", attach_late)
    with capturing(network.far, bpf="udp dst port 2000") as capture:
        network.send(udp(0, 2000))
        assert [frame[36:38] for frame in rest_of(capture)] == [(2000).to_bytes(2, "big")]


@BACKENDS
@pytest.mark.parametrize(
    ("expression", "expected"),
    [("udp dst port 53", [1]), ("udp", [0, 1, 2]), ("ether proto 0x88b5", [3, 4]), ("vlan 5", [4]), ("vlan 6", [])],
)
def test_what_the_filter_says_is_what_comes(network: Network, backend: str, expression: str, expected: list[int]) -> None:
    tagged = ethernet(4)[:12] + bytes.fromhex("81000005") + ethernet(4)[12:]
    sent = [udp(0, 52), udp(1, 53), udp(2, 54), ethernet(3), tagged]
    with capturing(network.far, bpf=expression, backend=backend) as capture:
        network.send(*sent)
        captured = [frame.data for frame in frames_of(capture, len(expected))] + rest_of(capture)
    assert captured == [sent[number] for number in expected]


@pytest.mark.parametrize("expression", ["udp dst port 2000", "udp[8:4] = 7", "ip host 192.0.2.1 and udp"])
def test_a_filter_works_for_all_interfaces_at_once(network: Network, expression: str) -> None:
    with capturing("any", bpf=expression) as capture:
        network.send(ethernet(0), udp(6, 1999) if "host" not in expression else ethernet(1), udp(7, 2000))
        captured = [frame.data for frame in frames_of(capture, 2)]
    assert len(captured) == 2, "as sent and as received"
    assert all(data[20:] == udp(7, 2000)[14:] for data in captured)


@BACKENDS
@pytest.mark.parametrize("interface", ["far0", "any"])
def test_the_snapshot_length_cuts_and_the_length_stays_known(network: Network, backend: str, interface: str) -> None:
    with capturing("far0" if backend == "scapy" else interface, snapshot_length=100, backend=backend) as capture:
        network.send(ethernet(1, 99), ethernet(2, 100), ethernet(3, 1400))
        captured = frames_of(capture, 3)
    missing = [frame.wire_length - len(frame.data) for frame in captured if frame.data[:2] == b"\xff\xff"]
    if interface == "far0" or backend == "scapy":
        assert missing == [0, 0, 1300]
    else:
        assert sorted({frame.wire_length - len(frame.data) for frame in captured}) == [0, 1386 - 100]


def test_frames_that_the_kernel_has_joined_are_whole(network: Network) -> None:
    """TCP on the loopback is handed over in pieces of up to 64 KiB, whose checksums nobody has computed."""
    network.ip("link", "set", "lo", "mtu", "1500")
    message = os.urandom(2_000_000)
    with capturing("lo", bpf="tcp") as capture:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            sending = threading.Thread(target=client.sendall, args=(message,))
            sending.start()
            received = bytearray()
            while len(received) < len(message):
                received += accepted.recv(1 << 20)
            sending.join()
            accepted.close()
        engine = Engine()
        capture.stop()
        stream, begin = bytearray(len(message)), None
        longest = 0
        for reader in capture.packet_readers():
            while engine.step(reader):
                packet = engine.packet
                assert packet.problem == ""
                assert packet.missing == 0
                longest = max(longest, reader.frame.wire_length)
                data = packet.data[packet.payload : packet.payload_end]
                if data:  # on a busy machine some may come twice, in other pieces
                    begin = packet.sequence if begin is None else begin
                    offset = packet.sequence - begin & 0xFFFFFFFF
                    stream[offset : offset + len(data)] = data
        assert capture.statistics()[0].dropped_by_kernel == 0
    assert longest > 2 * 1514
    assert stream == message


def test_drops_are_counted_and_counters_only_grow(network: Network) -> None:
    n_sent = 4000
    with capturing(network.far, buffer_mib=1) as capture:
        for begin in range(0, n_sent, 200):  # on a busy machine, the kernel delivers some later, and of many it drops some
            network.send(*(ethernet(number, 1500) for number in range(begin, begin + 200)))
            until = time.monotonic() + 20
            while (first := capture.statistics()[0]).received != begin + 200:
                assert time.monotonic() < until
                time.sleep(0.001)
        n_delivered = len(rest_of(capture))
        last = capture.statistics()[0]
    assert first.received == last.received == n_sent
    assert first.dropped_by_kernel == last.dropped_by_kernel
    assert 0 < n_delivered == n_sent - (last.dropped_by_kernel or 0) < n_sent
    assert (last.dropped_by_queue, last.name, last.link_type, last.up) == (0, network.far, 1, True)
    assert capture.statistics()[0] == last, "still there when it is closed"


def test_a_slow_link_does_not_use_up_the_ring_in_a_second(network: Network) -> None:
    """Each frame gets a block of its own. The ring has blocks for two seconds without a reader."""
    with capturing(network.far) as capture:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            network.send(ethernet(1))
            time.sleep(0.021)
        assert capture.statistics()[0].dropped_by_kernel == 0


def test_the_counters_of_the_kernel_are_read_while_nobody_asks(network: Network) -> None:
    """They have 32 bits, which last for some hours."""
    with closing(ring_socket.RingSocket(network.far, LiveOptions())) as one:
        network.send(*map(ethernet, range(5)))
        one.check()
        assert one.received == 5
        network.send(*map(ethernet, range(3)))
        one.check()
        assert (one.received, one.dropped) == (8, 0)


@BACKENDS
def test_a_turn_comes_when_nothing_does(network: Network, backend: str) -> None:
    with capturing(network.far, backend=backend) as capture:
        began = time.monotonic()
        for reader in itertools.islice(capture.packet_readers(), 5):
            assert not reader.advance()
        assert 0.5 < time.monotonic() - began < 20  # 1 s, and the rest for a busy machine


@BACKENDS
def test_a_packet_on_a_quiet_link_is_there_soon(network: Network, backend: str) -> None:
    with capturing(network.far, backend=backend) as capture:
        delays = []
        for number in range(10):
            network.send(ethernet(number))
            delays.append(time.time_ns() - frames_of(capture, 1)[0].at)
    assert min(delays) < 100_000_000  # on a busy machine, most may take longer


@BACKENDS
def test_stop_delivers_what_has_arrived(network: Network, backend: str) -> None:
    with capturing(network.far, backend=backend) as capture:
        network.send(*map(ethernet, range(100)))
        capture.stop()
        network.send(ethernet(100))
        captured = rest_of(capture)
    assert captured[:100] == list(map(ethernet, range(100)))


@BACKENDS
def test_a_signal_stops_a_capture_that_waits(network: Network, backend: str) -> None:
    with capturing(network.far, backend=backend) as capture:
        before = signal.signal(signal.SIGALRM, lambda *_: capture.stop())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            began = time.monotonic()
            for _ in capture.packet_readers():
                pass
            assert time.monotonic() - began < 20
        finally:
            signal.signal(signal.SIGALRM, before)


@BACKENDS
def test_an_interface_that_goes_down_comes_back(network: Network, backend: str) -> None:
    with capturing(network.far, backend=backend) as capture:
        network.send(ethernet(1))
        assert len(frames_of(capture, 1)) == 1
        network.ip("link", "set", network.far, "down")
        assert frames_of(capture, 1, 3) == []
        assert capture.statistics()[0].up is False
        network.ip("link", "set", network.far, "up")
        network.wait_for_link(network.near)
        assert frames_of(capture, 1, 3) == []
        network.send(ethernet(2))
        assert [frame.data for frame in frames_of(capture, 1)] == [ethernet(2)]
        assert capture.statistics()[0].up is True
    assert [note.split(" ", 1)[1] for note in capture.notes] == [
        f"{network.far} went down; capturing goes on when it is up",
        f"{network.far} is up again",
    ]


def test_waiting_for_an_interface_takes_no_time_of_the_processor(network: Network) -> None:
    with capturing(network.far) as capture:
        for words in (("link", "set", network.far, "down"), ("link", "delete", network.far)):
            network.ip(*words)
            began, processor = time.monotonic(), time.process_time()
            assert frames_of(capture, 1, 4) == []
            assert time.monotonic() - began > 0.5
            assert time.process_time() - processor < 0.2


def test_an_interface_comes_back_while_another_one_is_busy(network: Network) -> None:
    """The state of an interface is looked at even in a capture that never waits."""
    network.ip("tuntap", "add", "other7", "mode", "tap")
    with capturing("other7", network.far) as capture, flooded(network, ethernet(1)):
        network.ip("link", "set", "other7", "up")
        deadline = time.monotonic() + 30
        while not any("other7 is up again" in note for note in capture.notes):
            assert time.monotonic() < deadline
            assert frames_of(capture, 1)


def test_an_interface_that_is_down_at_first_is_waited_for(network: Network) -> None:
    network.ip("link", "set", network.far, "down")
    with capturing(network.far) as capture:
        assert frames_of(capture, 1, 1) == []
        network.ip("link", "set", network.far, "up")
        network.wait_for_link(network.near)
        frames_of(capture, 1, 3)
        network.send(ethernet(2))
        assert [frame.data for frame in frames_of(capture, 1)] == [ethernet(2)]
    assert [note.split(" ", 1)[1] for note in capture.notes] == [
        f"{network.far} is down; capturing begins when it is up",
        f"{network.far} is up again",
    ]


def test_an_interface_that_is_removed_and_made_again_is_captured_again(network: Network) -> None:
    with capturing(network.far, bpf="udp") as capture:
        network.ip("link", "delete", network.far)
        assert frames_of(capture, 1, 3) == []
        network.make_pair()
        assert frames_of(capture, 1, 3) == []
        network.send(ethernet(1), udp(2, 53))
        assert [frame.data for frame in frames_of(capture, 1)] == [udp(2, 53)]
    assert [note.split(" ", 1)[1] for note in capture.notes] == [
        f"{network.far} was removed; capturing goes on when there is an interface of that name",
        f"{network.far} is up again",
    ]


def test_several_interfaces_are_one_capture_in_the_order_of_time(network: Network) -> None:
    """Each frame is seen at both ends. Each ring hands over its frames when its own time is over."""
    with capturing(network.near, network.far, network.near) as capture:
        assert [interface.name for interface in capture.reader.interfaces] == [network.near, network.far]
        captured = []
        for number in range(100):
            network.send(ethernet(number))
            time.sleep(0.003)
            if number % 10 == 9:
                captured += frames_of(capture, 1)
        began = time.monotonic()
        captured += frames_of(capture, 200 - len(captured), 1000)
        assert time.monotonic() - began < 20, "the last frames are not held for long"
    assert [frame.at for frame in captured] == sorted(frame.at for frame in captured)
    assert [frame.interface for frame in captured].count(0) == 100
    assert [frame.number for frame in captured] == list(range(1, 201))


def test_what_is_held_for_the_order_comes_at_the_end(network: Network) -> None:
    with capturing(network.near, network.far) as capture:
        network.send(*map(ethernet, range(10)))
        assert len(rest_of(capture)) == 20


def test_frames_are_not_held_for_long_when_the_clock_was_set_back(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    with capturing(network.near, network.far) as capture:
        network.send(ethernet(1))
        set_back = time.time_ns() - 3600 * 10**9
        monkeypatch.setattr(ring_capture.time, "time_ns", lambda: set_back)
        began = time.monotonic()
        assert len(frames_of(capture, 2, 1000)) == 2
        assert 0.9 < time.monotonic() - began < 20


def test_processes_share_an_interface_by_flow(network: Network) -> None:
    captures = [LiveCapture([network.far], LiveOptions(bpf="udp")) for _ in range(2)]
    groups = new_groups([network.far])
    for capture in captures:
        capture.open(groups)
    sent = [udp(number, 1000 + number % 40) for number in range(400)]
    network.send(*sent)
    shares = [rest_of(capture) for capture in captures]
    ports = [{frame[36:38] for frame in share} for share in shares]
    for capture in captures:
        capture.close()
    assert sorted(shares[0] + shares[1]) == sorted(sent)
    assert ports[0]
    assert ports[1]
    assert not ports[0] & ports[1], "a flow has one process"


def test_a_group_that_somebody_else_has_is_not_shared(network: Network) -> None:
    """Another program may have chosen the same number; both would get half of the packets."""
    others = [new_groups([network.far]) for _ in range(3)]
    captures = [LiveCapture([network.far], LiveOptions(bpf="udp")) for _ in others]
    for capture, groups in zip(captures, others, strict=True):
        capture.open(groups)
    mine = new_groups([network.far, "lo"])
    assert len({*(groups[network.far] for groups in others), *mine.values()}) == 5
    for capture in captures:
        capture.close()


@BACKENDS
@pytest.mark.parametrize(
    ("interface", "bpf", "reason"),
    [
        ("nowhere0", None, "nowhere0: there is no such interface (see analyzer interfaces)"),
        ("a-name-that-is-too-long", None, "there is no such interface"),
        ("far0", "no such filter", "syntax error"),
        ("far0", "vlan 99999", "99999"),
    ],
)
def test_what_cannot_be_captured_is_one_line(
    network: Network, backend: str, interface: str, bpf: str | None, reason: str
) -> None:
    capture = LiveCapture([interface], LiveOptions(bpf=bpf, backend=backend))  # type: ignore[arg-type]
    with pytest.raises(CaptureError) as raised:
        capture.open()
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


WITHOUT_RIGHTS = """
import os, sys
from analyzer.capture.live.live_capture import LiveCapture, LiveOptions
from analyzer.capture.live.privileges import drop
drop()
try:
    LiveCapture(["lo"], LiveOptions(backend=sys.argv[1])).open()
except Exception as error:
    print(type(error).__name__, error)
"""


@BACKENDS
def test_without_the_right_one_line_says_what_to_run(network: Network, backend: str) -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_RIGHTS, backend], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert ran.stdout.startswith("CaptureError lo: the right CAP_NET_RAW is missing: sudo ")
    assert "setcap cap_net_raw+ep" in ran.stdout
    assert ran.stdout.count("\n") == 1
