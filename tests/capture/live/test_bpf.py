"""Compiles filters with libpcap, and runs them in the kernel: in a socket pair, which needs no rights."""

import socket

import pytest

from analyzer.capture.live.bpf import RETURN_NOTHING, Program, attach_filter, compile_bpf, snapshot_filter
from analyzer.capture.live.capture_error import CaptureError


def passes(program: Program, data: bytes) -> bytes | None:
    """What the kernel leaves of a datagram, None if the filter drops it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        theirs.setblocking(False)
        attach_filter(theirs, program)
        try:
            ours.send(data)
            return theirs.recv(1 << 16)
        except OSError:
            return None


def ethernet_udp(port: int) -> bytes:
    return bytes(12) + b"\x08\0" + ip_udp(port)


def ip_udp(port: int) -> bytes:
    addresses = bytes((10, 0, 0, 1, 10, 0, 0, 2))
    return b"\x45\0\0\x1c\0\0\0\0\x40\x11\0\0" + addresses + b"\0\7" + port.to_bytes(2, "big") + b"\0\x08\0\0"


def test_the_kernel_runs_what_libpcap_compiles() -> None:
    program = snapshot_filter(compile_bpf("udp dst port 53", "lo", 1), 1000, cooked=False)
    assert passes(program, ethernet_udp(53)) == ethernet_udp(53)
    assert passes(program, ethernet_udp(54)) is None


def test_a_filter_for_bare_ip_packets() -> None:
    program = snapshot_filter(compile_bpf("udp dst port 53", "tun0", 101), 1000, cooked=False)
    assert passes(program, ip_udp(53)) == ip_udp(53)
    assert passes(program, ip_udp(54)) is None


def test_the_program_cuts_at_the_snapshot_length() -> None:
    assert passes(snapshot_filter(None, 20, cooked=False), bytes(range(60))) == bytes(range(20))
    program = snapshot_filter(compile_bpf("udp", "lo", 1), 30, cooked=False)
    assert passes(program, ethernet_udp(53)) == ethernet_udp(53)[:30]
    assert [k for code, _, _, k in program if code == 6] == [30, 0]


def test_nothing_passes_what_returns_nothing() -> None:
    assert passes(RETURN_NOTHING, b"x") is None


def test_loads_from_a_cooked_header_become_requests_to_the_kernel() -> None:
    compiled = compile_bpf("udp dst port 53", "any", 276)
    changed = snapshot_filter(compiled, 99, cooked=True)
    loads = [(before[3], after[3]) for before, after in zip(compiled, changed, strict=True) if before[0] & 7 in (0, 1)]
    assert (0, 0xFFFFF000) in loads, "the protocol"
    assert all(after in (before - 20, 0xFFFFF000) for before, after in loads)
    assert [before[:3] for before in compiled] == [after[:3] for after in changed], "jumps stay"


@pytest.mark.parametrize(
    ("expression", "link_type", "reason"),
    [
        ("and and", 1, "syntax error"),
        ("host 1.2.3.4.5", 1, "1.2.3.4.5"),
        ("vlan 5", 276, "VLAN"),
        ("udp\0", 1, "zero byte"),
        ("tcp\udcff", 1, "not UTF-8"),
        ("ether host 02:00:00:00:00:01", 101, "ethernet"),
    ],
)
def test_a_wrong_expression_is_one_line(expression: str, link_type: int, reason: str) -> None:
    with pytest.raises(CaptureError) as raised:
        compile_bpf(expression, "lo", link_type)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_part_of_the_cooked_header_that_the_kernel_does_not_give_is_refused() -> None:
    with pytest.raises(CaptureError, match="does not give byte 12"):
        snapshot_filter([(0x20, 0, 0, 12), (6, 0, 0, 1)], 99, cooked=True)


@pytest.mark.parametrize("program", [[(0xFFFF, 0, 0, 0)], [(6, 0, 0, 1)] * 5000, [(0x05, 0, 0, 9)]])
def test_a_program_that_the_kernel_refuses_is_an_error(program: Program) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one, pytest.raises(CaptureError, match="kernel"):
        attach_filter(one, program)
