"""Reads the facts of interfaces in a network namespace of the test, where they are known."""

import os
import socket
import subprocess
import sys
from contextlib import closing

from live_network import Network, ethernet, frames_of

from analyzer.capture.live.interface_facts import (
    dropped_by_interface,
    flags_of,
    hardware_type_of,
    is_loopback,
    is_up,
    list_interfaces,
)
from analyzer.capture.live.live_capture import LiveCapture
from analyzer.capture.live.live_options import LiveOptions


def test_every_interface_with_its_addresses_and_state(network: Network) -> None:
    network.ip("address", "add", "192.0.2.1/24", "dev", network.near)
    network.ip("address", "add", "192.0.2.7/24", "dev", network.near)
    network.ip("link", "set", network.near, "address", "02:00:00:00:00:07", "mtu", "1400")
    network.ip("link", "set", network.far, "down")
    network.ip("tuntap", "add", "tun7", "mode", "tun")
    facts = {one.name: one for one in list_interfaces()}
    assert {network.near, network.far, "lo", "tun7"} <= facts.keys()
    assert [one.index for one in facts.values()] == sorted(one.index for one in facts.values())
    near, far, loopback, tunnel = (facts[name] for name in (network.near, network.far, "lo", "tun7"))
    assert near.addresses == ("192.0.2.1", "192.0.2.7")
    assert (near.hardware_address, near.mtu, near.state, near.link_type) == ("02:00:00:00:00:07", 1400, "no carrier", 1)
    assert (far.state, far.addresses, far.loopback) == ("down", (), False)
    assert (loopback.addresses[0], loopback.state, loopback.link_type, loopback.loopback) == ("127.0.0.1", "up", 1, True)
    assert (tunnel.link_type, tunnel.hardware_address) == (101, None)
    assert near.index == socket.if_nametoindex(network.near)


def test_packets_are_counted(network: Network) -> None:
    before = {one.name: one for one in list_interfaces()}
    network.send(*map(ethernet, range(10)))
    after = {one.name: one for one in list_interfaces()}
    sent = [one[network.near].sent_packets or 0 for one in (before, after)]
    received = [one[network.far].received_packets or 0 for one in (before, after)]
    assert sent[1] - sent[0] == 10
    assert received[1] - received[0] == 10
    assert after[network.far].dropped_in == dropped_by_interface(network.far)


def test_a_name_that_is_not_utf_8(network: Network) -> None:
    """scapy lists the interfaces when it is imported, and cannot read this one."""
    name = os.fsdecode(b"x\xff")
    network.ip("link", "set", network.near, "down")
    network.ip("link", "set", network.near, "name", name)
    network.ip("link", "set", name, "up")
    before = dropped_by_interface(name)
    assert before is not None
    with closing(LiveCapture([name, "lo"], LiveOptions(bpf="ether proto 0x88b5"))) as capture:
        capture.open()
        network.send(ethernet(1), interface=network.far)
        assert [frame.data for frame in frames_of(capture, 1)] == [ethernet(1)]
        assert [one.dropped_by_interface for one in capture.statistics()] == [0, 0]
    ran = subprocess.run([sys.executable, "-m", "analyzer", "interfaces"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "analyzer: the name of an interface is not UTF-8, so they cannot be listed; live can capture them\n"
    for interface in ("lo", name):
        ran = subprocess.run(
            [sys.executable, "-m", "analyzer", "live", interface, "--backend", "scapy"], capture_output=True, text=True
        )
        assert (ran.returncode, ran.stdout) == (2, "")
        assert ran.stderr == (
            "analyzer: the name of an interface is not UTF-8, and beside it the backend scapy can open none; use the ring\n"
        )


def test_what_is_not_there_is_none(network: Network) -> None:
    for name in ("nowhere0", "", "a-name-that-is-too-long", "zero\0"):
        assert flags_of(name) is None
        assert hardware_type_of(name) is None
        assert dropped_by_interface(name) is None
    assert not is_up(None)
    assert not is_loopback(None)
    assert is_loopback(flags_of("lo"))
    assert not is_loopback(flags_of(network.near))
    assert hardware_type_of("lo") == 772
