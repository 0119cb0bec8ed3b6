"""What else passes on a local network: ARP (RFC 826), DNS (RFC 1035), NTP (RFC 5905) and ICMP echo (RFC 792), by hand."""

from __future__ import annotations

import ipaddress
import struct

from wire import Host, Wire, ethernet, internet_checksum, ip, udp

_MILLISECOND = 1_000_000
_NTP_EPOCH = 2_208_988_800


def put_arp(wire: Wire, at: int, asking: Host, asked: Host) -> None:
    """A broadcast question for `asked` and its answer, in ns since the epoch."""
    everyone = Host(asked.address, "ff:ff:ff:ff:ff:ff")
    nobody = Host(asked.address, "00:00:00:00:00:00")
    wire.put(at, ethernet(asking, everyone, 0x0806, _arp(1, asking, nobody)))
    wire.put(at + _MILLISECOND // 2, ethernet(asked, asking, 0x0806, _arp(2, asked, asking)))


def put_dns(wire: Wire, at: int, client: Host, resolver: Host, name: str, address: str | None) -> None:
    """A question for `name`, A or AAAA by the form of `address`, and the answer; None asks for A and finds no such name."""
    ports = wire.random.randrange(49152, 65536), 53
    number = wire.random.randrange(65536)
    answer = b"" if address is None else ipaddress.ip_address(address).packed
    kind = 28 if len(answer) == 16 else 1
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".")) + b"\0"
    question = labels + struct.pack("!HH", kind, 1)
    wire.put(at, udp(client, resolver, ports, struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + question, number))
    head = struct.pack("!6H", number, 0x8183 if address is None else 0x8180, 1, 0 if address is None else 1, 0, 0)
    # The owner name is a pointer to the question, 12 bytes into the message.
    record = struct.pack("!HHHIH", 0xC00C, kind, 1, 300, len(answer)) + answer if address is not None else b""
    delay = wire.random.randrange(4 * _MILLISECOND, 22 * _MILLISECOND)
    wire.put(at + delay, udp(resolver, client, ports[::-1], head + question + record, number + 1))


def put_ntp(wire: Wire, at: int, client: Host, server: Host) -> None:
    """A question for the time and the answer."""
    ports = wire.random.randrange(49152, 65536), 123
    sent, received = _ntp_time(at), _ntp_time(at + 9 * _MILLISECOND)
    wire.put(at, udp(client, server, ports, b"\x23" + bytes(39) + sent, 1))
    answer = b"\x24\x02\x06\xe9" + bytes(8) + b"GPS\0" + _ntp_time(at - 60_000 * _MILLISECOND) + sent + received + received
    wire.put(at + 18 * _MILLISECOND, udp(server, client, ports[::-1], answer, 2))


def put_ping(wire: Wire, at: int, client: Host, server: Host, count: int) -> None:
    """`count` echo requests, a second apart, and their replies."""
    for sequence in range(1, count + 1):
        for kind, delay, (source, destination) in ((8, 0, (client, server)), (0, 11, (server, client))):
            body = struct.pack("!HH", 0x4D2, sequence) + bytes(range(56))
            message = struct.pack("!BBH", kind, 0, internet_checksum(bytes([kind, 0, 0, 0]) + body)) + body
            wire.put(at + delay * _MILLISECOND, ip(source, destination, 1, message, sequence))
        at += 1000 * _MILLISECOND


def _arp(operation: int, sender: Host, target: Host) -> bytes:
    parts = b"".join(
        bytes.fromhex(host.mac.replace(":", "")) + ipaddress.ip_address(host.address).packed for host in (sender, target)
    )
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + parts


def _ntp_time(at: int) -> bytes:
    seconds, rest = divmod(at, 1_000_000_000)
    return struct.pack("!II", seconds + _NTP_EPOCH & 0xFFFFFFFF, (rest << 32) // 1_000_000_000)
