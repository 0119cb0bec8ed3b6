"""The traffic of a host is the sum of its conversations."""

from conversations import CLIENT, SERVER, packetise
from frames_by_hand import datagram

from analyzer.analysis.talkers import talkers
from analyzer.analysis.traffic import Traffic
from analyzer.capture.frame import Frame
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def counted(*frames: bytes) -> Traffic:
    """The traffic of these Ethernet frames."""
    traffic, packet, frame = Traffic(), Packet(), Frame()
    frame.link_type = 1
    for number, data in enumerate(frames, 1):
        frame.number, frame.at, frame.wire_length = number, number, len(data)
        read(packet, data, 0, len(data), 1, len(data))
        traffic.count(packet, frame)
    return traffic


def test_both_directions_of_all_conversations_count():
    flights = [(CLIENT, b"q" * 100), (SERVER, b"a" * 900)]
    frames = [one.frame() for port in (50001, 50002) for one in packetise(flights, ports=(port, 80), mss=2000)]
    found, n_hosts = talkers(counted(*frames), 9)
    assert n_hosts == 2
    client, server = sorted(found, key=lambda one: one.address)
    assert (client.address, server.address) == ("10.0.0.1", "10.0.0.2")
    assert client.packets == server.packets[::-1] == (10, 6)
    assert client.n_bytes == server.n_bytes[::-1]
    assert sum(client.n_bytes) == sum(map(len, frames))
    assert (client.conversations, client.peers) == (2, 1)


def test_the_largest_come_first_and_datagrams_count():
    small, large = datagram(b"x"), datagram(b"y" * 500, source="192.0.2.77")
    found, n_hosts = talkers(counted(small, large), 2)
    assert n_hosts == 3
    assert found[1].address == "192.0.2.77"
    assert (found[1].n_bytes, found[1].packets) == ((len(large), 0), (1, 0))
    assert (found[0].conversations, found[0].peers) == (2, 2)


def test_nothing_is_nobody():
    assert talkers(Traffic(), 5) == ([], 0)
