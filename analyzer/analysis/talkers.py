"""Adds up the traffic of each host, over all its TCP and UDP conversations.

The counter of packets (`Traffic`) has the two directions of each conversation. A host has sent the packets of those directions
whose source it is, and has received the packets of those whose destination it is. Packets of other protocols have no
conversation and count for no host.
"""

import heapq
from dataclasses import dataclass

from analyzer.analysis.traffic import Traffic
from analyzer.packet.addresses import address_text


@dataclass(slots=True)
class Talker:
    """The traffic of one address.

    packets, n_bytes: sent and received, bytes on the wire. conversations: in which it takes part. peers: different addresses
    that it has conversations with.
    """

    address: str
    packets: tuple[int, int]
    n_bytes: tuple[int, int]
    conversations: int
    peers: int


class _Sums:
    __slots__ = ("n_bytes", "n_conversations", "packets", "peers")

    def __init__(self) -> None:
        self.packets = [0, 0]
        self.n_bytes = [0, 0]
        self.n_conversations = 0
        self.peers: set[bytes] = set()


def talkers(traffic: Traffic, n: int) -> tuple[list[Talker], int]:
    """Return the `n` hosts with the most bytes sent and received, the largest first, and how many hosts there are.

    Only conversations that are held one by one are known by host: see `Traffic.held`.
    """
    hosts: dict[bytes, _Sums] = {}
    for table in (traffic.tcp, traffic.udp):
        for key, flow in table.items():
            half = (len(key) - 4) >> 1
            source, destination = key[:half], key[half : 2 * half]
            for place, address in enumerate((source, destination)):
                sums = hosts.get(address)
                if sums is None:
                    sums = hosts[address] = _Sums()
                sums.packets[place] += flow.n_packets
                sums.n_bytes[place] += flow.n_bytes
                if flow.opened and (place == 0 or source != destination):
                    sums.n_conversations += 1
                    sums.peers.add(destination if place == 0 else source)
    largest = heapq.nlargest(n, hosts.items(), key=lambda host: (sum(host[1].n_bytes), host[0]))
    return [_talker(address, sums) for address, sums in largest], len(hosts)


def _talker(address: bytes, sums: _Sums) -> Talker:
    packets, n_bytes = (sums.packets[0], sums.packets[1]), (sums.n_bytes[0], sums.n_bytes[1])
    return Talker(address_text(address), packets, n_bytes, sums.n_conversations, len(sums.peers))
