# cython: annotation_typing=False
"""Describes one packet for the packet list: source, destination, protocol and info, in a form close to that of Wireshark."""

from collections.abc import Sequence
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_places import FramePlaces
from analyzer.codec.byte_slices import slice_bytes
from analyzer.codec.registry import registry
from analyzer.engine.eap_sessions import PORT_CONTROL
from analyzer.engine.engine import NO_CONNECTION, Engine
from analyzer.flows.eap import LAST_CODE
from analyzer.packet.addresses import address_text
from analyzer.packet.bus_frames import BUSES, bus_frame
from analyzer.packet.options import read_tcp_options
from analyzer.packet.packet import Packet
from analyzer.packet.sealed_packets import ESP, MACSEC, capwap_info, esp_info, macsec_info, udp_encapsulation
from analyzer.store.clock import rfc3339
from analyzer.store.declaration import path_text
from analyzer.store.eap_info import port_text, radius_text
from analyzer.store.http_messages import HttpMessages
from analyzer.store.quic_info import QuicPackets
from analyzer.tls.dtls.dtls_events import PartSeen
from analyzer.tls.events import Alert, Event, HandshakeMessage, RecordEvent
from analyzer.tls.handshake import hello_features
from analyzer.tls.quic.quic_events import PacketSeen

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58

MAX_REMEMBERED = 65536
"""The most connections whose window scale or first number is kept. For further ones, the header's own values are shown."""

# In the compiled build these are C variables, which other modules cannot see.
_TCP, _UDP, _ESP, _MACSEC = TCP, UDP, ESP, MACSEC

_ALL_FLAGS, _WORD, _NO_CONNECTION = 0xFFF, 0xFFFFFFFF, NO_CONNECTION

_STAMPED = b"\1\1\x08\x0a"
"""How the options of a segment begin that has only timestamps: twice no operation, kind 8, length 10 (RFC 7323 appendix A)."""

_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")
_SYN, _ACK = 0x02, 0x10
_OPTIONS = {2: "MSS", 3: "WS", 4: "SACK_PERM", 5: "SACK", 8: "TSval"}
_NOTHING: list[Any] = []
_ADDRESSES: dict[bytes, str] = {}
"""The text of addresses; of their own, because packets ask for two of them each."""
_SHOWN = (HandshakeMessage, Alert, RecordEvent, PacketSeen, PartSeen)
"""The events that the packet list describes."""

_EVENTS = {
    "change_cipher_spec": "Change Cipher Spec",
    "application_data": "Application Data",
    "heartbeat": "Heartbeat",
    "encrypted_handshake": "Encrypted Handshake Message",
}
_ICMP = {
    0: "Echo (ping) reply", 3: "Destination unreachable", 4: "Source quench", 5: "Redirect", 8: "Echo (ping) request",
    11: "Time-to-live exceeded", 12: "Parameter problem", 13: "Timestamp request", 14: "Timestamp reply",
}  # fmt: skip
_UNREACHABLE = {
    0: "Network unreachable", 1: "Host unreachable", 2: "Protocol unreachable", 3: "Port unreachable",
    4: "Fragmentation needed", 13: "Communication administratively filtered",
}  # fmt: skip
_ICMPV6 = {
    1: "Destination Unreachable", 2: "Packet Too Big", 3: "Time Exceeded", 4: "Parameter Problem", 128: "Echo (ping) request",
    129: "Echo (ping) reply", 130: "Multicast Listener Query", 131: "Multicast Listener Report", 132: "Multicast Listener Done",
    133: "Router Solicitation", 134: "Router Advertisement", 135: "Neighbor Solicitation", 136: "Neighbor Advertisement",
    137: "Redirect", 143: "Multicast Listener Report Message v2",
}  # fmt: skip
_DTLS = 1
"""Stands for a version of DTLS that was not negotiated yet."""

_DNS_TYPES = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 43: "DS", 48: "DNSKEY",
    64: "SVCB", 65: "HTTPS", 255: "ANY",
}  # fmt: skip
_DNS_PORTS = {53: "DNS", 5353: "MDNS", 5355: "LLMNR"}
_DNS_NAMES = frozenset(_DNS_PORTS.values())
_CAPWAP_NAMES = frozenset({"CAPWAP-Control", "CAPWAP-Data"})


class Describer:
    """Describes the packets of one run. It asks the engine for facts about their streams; the engine must be `detailed`."""

    __slots__ = (
        "_engine", "_firsts", "_flags", "_known_options", "_plaintext", "_protocols", "_quic", "_scales", "_services",
        "_udp_names",
    )  # fmt: skip

    def __init__(self, engine: Engine, plaintext: HttpMessages) -> None:
        self._engine = engine
        self._plaintext = plaintext
        self._quic = QuicPackets()
        self._scales: dict[bytes, int] = {}
        self._firsts: dict[bytes, int] = {}
        self._flags: list[str | None] = [None] * (_ALL_FLAGS + 1)
        self._known_options: dict[bytes, tuple[str, int]] = {}
        self._udp_names: dict[tuple[int, int], str] = {}
        self._services = registry("services")
        self._protocols = registry("ip_protocols").names

    def describe(self, frame: Frame, events: Sequence[Event]) -> tuple[str, str, str, str]:
        """Return source, destination, protocol and info of the frame that the engine was fed last. Text is not escaped.

        events: the events that the frame caused.
        """
        packet: Packet = self._engine.packet
        if packet.ether_type < 0 and frame.link_type in BUSES:
            source, destination, protocol, info = bus_frame(frame.link_type, frame.data[frame.start : frame.end])
            return source, destination, protocol, info
        source, destination = addresses(packet, frame)
        shown: list[Any] = [event for event in events if isinstance(event, _SHOWN)] if events else _NOTHING
        protocol, info = self._describe_packet(packet, frame, shown)
        if packet.tunnels:
            info += f" [in {_count(packet.tunnels, 'tunnel')}]"
        if packet.copy_of > 0:
            info += f" [copy of frame {packet.copy_of}]"
        if packet.problem_at >= 0:
            info += f" [{packet.problem}]"
        if not info or info[0] == " ":
            info = info.lstrip()
        return source, destination, protocol, info

    def _describe_packet(self, packet: Packet, frame: Frame, shown: list[Any]) -> tuple[str, str]:
        number = packet.protocol
        data = packet.data
        if packet.fragment:
            name = self._protocols[number]
            place = f"proto={name} {number}, off={packet.fragment_offset}, ID={packet.fragment_id:04x}"
            return f"IPv{packet.ip_version}", f"Fragmented IP protocol ({place})"
        if packet.transport >= 0 and number == _TCP:
            if shown:
                inside = self._plaintext.words()
                return tls_protocol(shown[len(shown) - 1].version), tls_info(shown) + (f" ({inside})" if inside else "")
            return "TCP", self._tcp(packet)
        if packet.transport >= 0 and number == _UDP:
            if shown and data[packet.payload] <= LAST_CODE and not isinstance(shown[0], PacketSeen):
                return "RADIUS", tls_info(shown)
            if shown and _is_dtls(data[packet.payload], shown):
                parts = [_part_text(event) for event in shown if event.frame == frame.number]
                words = ", ".join(filter(None, (*parts, self._plaintext.words())))
                return tls_protocol(shown[len(shown) - 1].version or _DTLS), words
            if shown or (packet.payload < packet.payload_end and self._quic.may_begin(data[packet.payload])):
                octets = slice_bytes(data, packet.payload, packet.payload_end)
                seen = [event for event in shown if isinstance(event, PacketSeen) and event.frame == frame.number]
                words = self._quic.describe(octets, packet.key(), seen)
                messages = [tls_text(event) for event in shown if not isinstance(event, RecordEvent | PacketSeen)]
                if shown or words:
                    return "QUIC", ", ".join(filter(None, (*messages, self._plaintext.words(), words)))
            return self._udp(packet)
        if number == ICMP and packet.payload_end - packet.payload >= 8:
            return "ICMP", icmp(data, packet.payload, data[packet.ip + 8])
        if number == ICMPV6 and packet.payload_end - packet.payload >= 8:
            return "ICMPv6", icmpv6(data, packet.payload, packet.payload_end)
        n_bytes = packet.payload_end - packet.payload
        if number == _ESP:
            return "ESP", esp_info(packet)
        if packet.ip_version:
            return self._protocols[number] if number >= 0 else f"IPv{packet.ip_version}", _count(n_bytes, "byte")
        if packet.ether_type == 0x0806 and n_bytes >= 28:
            return "ARP", arp(data, packet.payload)
        if packet.ether_type in PORT_CONTROL:
            if shown:
                return tls_protocol(shown[len(shown) - 1].version), tls_info(shown)
            return port_text(slice_bytes(data, packet.payload, packet.payload_end))
        if packet.ether_type == _MACSEC:
            return "MACsec", macsec_info(packet)
        if packet.ether_type < 0:
            return "unknown", _count(n_bytes, "byte")
        return registry("ether_types").name(packet.ether_type), _count(n_bytes, "byte")

    def _tcp(self, packet: Packet) -> str:
        bits = packet.flags
        flags = self._flags[bits & _ALL_FLAGS]
        if flags is None:
            flags = self._flags[bits & _ALL_FLAGS] = _flag_text(bits)
        key = packet.key()
        first = self._engine.first_sequence(key)
        window = packet.window
        n_options = packet.payload - packet.transport - 20
        options = ""
        if (
            n_options == 12
            and not bits & _SYN
            and slice_bytes(packet.data, packet.transport + 20, packet.transport + 24) == _STAMPED
        ):
            at = packet.transport + 24
            options = f" TSval={_number(packet.data, at)} TSecr={_number(packet.data, at + 4)}"
        elif n_options > 0:
            options = self._options(packet, key)
        sequence = packet.sequence
        acknowledgement = packet.acknowledgement
        if first != _NO_CONNECTION:
            back = packet.reverse_key()
            if self._scales and not bits & _SYN and back in self._scales:
                window <<= self._scales.get(key, 0)
            sequence = self._relative(sequence, key, first)
            if bits & _ACK:
                acknowledgement = self._relative(acknowledgement, back, self._engine.first_sequence(back))
        n_bytes = packet.payload_end - packet.payload + packet.missing
        if bits & _ACK:
            return (
                f"{packet.source_port} → {packet.destination_port} [{flags}] Seq={sequence} Ack={acknowledgement} Win={window} "
                f"Len={n_bytes}{options}"
            )
        return f"{packet.source_port} → {packet.destination_port} [{flags}] Seq={sequence} Win={window} Len={n_bytes}{options}"

    def _options(self, packet: Packet, key: bytes) -> str:
        """Return the text for the options of a segment, with a space in front of each; note the window scale of a SYN."""
        raw = slice_bytes(packet.data, packet.transport + 20, packet.payload)
        known = self._known_options.get(raw)
        if known is None:
            options = read_tcp_options(packet)
            scale = -1
            for option in options:
                if option.kind == 3 and isinstance(option.value, int):
                    scale = min(option.value, 14)
            shown = [f" {option_text(option.kind, option.value)}" for option in options if option.kind in _OPTIONS]
            if len(self._known_options) >= MAX_REMEMBERED:
                self._known_options.clear()
            known = self._known_options[raw] = "".join(shown), scale
        if packet.flags & _SYN and known[1] >= 0 and len(self._scales) < MAX_REMEMBERED:
            self._scales[key] = known[1]
        return known[0]

    def _relative(self, number: int, key: bytes, known: int) -> int:
        """Return a sequence number relative to the SYN of its side; without a SYN, to the first number seen, which is 1.

        key: of the side to which the number belongs. known: what `Engine.first_sequence` says of it.
        """
        first = -1
        if self._firsts:
            first = self._firsts.get(key, -1)
        if first < 0 and known >= 0:
            first = known
        elif first < 0 and len(self._firsts) < MAX_REMEMBERED:
            first = number
            self._firsts[key] = number
        return number if first < 0 else (number - first + 1) & _WORD

    def _udp(self, packet: Packet) -> tuple[str, str]:
        n_bytes = packet.payload_end - packet.payload + packet.missing
        info = f"{packet.source_port} → {packet.destination_port} Len={n_bytes}"
        ports = (packet.source_port, packet.destination_port)
        name = self._udp_names.get(ports)
        if name is None:
            if len(self._udp_names) >= MAX_REMEMBERED:
                self._udp_names.clear()
            name = self._udp_names[ports] = self._udp_name(ports)
        if name in _DNS_NAMES:
            info = dns(packet.data, packet.payload, packet.payload_end) or info
        elif name == "RADIUS":
            info = radius_text(slice_bytes(packet.data, packet.payload, packet.payload_end)) or info
        elif name == "UDPENCAP":
            return udp_encapsulation(packet)
        elif name in _CAPWAP_NAMES:
            info = capwap_info(packet)
        return name, info

    def _udp_name(self, ports: tuple[int, int]) -> str:
        """Return the protocol of a datagram by its ports, the lower one first."""
        for port in sorted(ports):
            if port in _DNS_PORTS:
                return _DNS_PORTS[port]
            if self._services.known(port) and self._services.name(port) != "TLS":
                return self._services.name(port)
        return "UDP"


def packet_record(frame: Frame, source: str, destination: str, protocol: str, info: str, places: FramePlaces) -> dict[str, Any]:
    """Return the packet record of a frame, from what `Describer.describe` returned. places: in which file it is."""
    return {
        "number": frame.number,
        "time": rfc3339(frame.at),
        "source": source or None,
        "destination": destination or None,
        "protocol": protocol,
        "length": frame.wire_length,
        "info": info,
        **place_record(places, frame.number),
    }


def place_record(places: FramePlaces, frame: int) -> dict[str, Any]:
    """Return the entries `capture` and `frame_in_capture` of a frame of a run."""
    place = places.of(frame)
    return {
        "capture": None if place is None else path_text(place[0]),
        "frame_in_capture": None if place is None else place[1],
    }


def addresses(packet: Packet, frame: Frame) -> tuple[str, str]:
    """Return source and destination: of IP, else of Ethernet; empty if there are none."""
    data, at = packet.data, packet.ip
    if at >= 0 and packet.ip_version == 4 and len(data) - at >= 20:
        return _address_text(slice_bytes(data, at + 12, at + 16)), _address_text(slice_bytes(data, at + 16, at + 20))
    if at >= 0 and packet.ip_version == 6 and len(data) - at >= 40:
        return _address_text(slice_bytes(data, at + 8, at + 24)), _address_text(slice_bytes(data, at + 24, at + 40))
    if frame.link_type == 1 and frame.end - frame.start >= 12:
        at = frame.start
        return hardware_address(frame.data[at + 6 : at + 12]), hardware_address(frame.data[at : at + 6])
    return "", ""


def _address_text(octets: bytes) -> str:
    known = _ADDRESSES.get(octets)
    if known is None:
        if len(_ADDRESSES) >= MAX_REMEMBERED:
            _ADDRESSES.clear()
        known = _ADDRESSES[octets] = address_text(octets)
    return known


def _flag_text(bits: int) -> str:
    return ", ".join([name for bit, name in enumerate(_FLAGS) if bits >> bit & 1]) or "none"


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _count(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"


def hardware_address(octets: bytes) -> str:
    """Return the text of an Ethernet address."""
    return "Broadcast" if octets == b"\xff" * 6 else octets.hex(":")


def option_text(kind: int, value: Any) -> str:
    """Return a short text for a TCP option."""
    if kind == 8 and isinstance(value, tuple):
        return f"TSval={value[0]} TSecr={value[1]}"
    if kind == 3 and isinstance(value, int):
        return f"WS={1 << min(value, 14)}"
    if kind == 5 and isinstance(value, tuple):
        return f"SACK={len(value)}"
    return f"{_OPTIONS[kind]}={value}" if isinstance(value, int) else _OPTIONS[kind]


def _is_dtls(first: int, shown: list[Any]) -> bool:
    """Return whether the events of a datagram are of DTLS. first: its first byte (RFC 7983 section 7)."""
    return 20 <= first < 64 and not any(isinstance(event, PacketSeen) for event in shown)


def _part_text(event: Any) -> str:
    """Return the text for one event of DTLS."""
    return event.text if isinstance(event, PartSeen) else tls_text(event)


def tls_protocol(version: int) -> str:
    """Return the protocol name: `TLSv1.3`, `DTLSv1.2`, `SSLv3`; `TLS` or `DTLS` before a version is negotiated."""
    if not version:
        return "TLS"
    if version == _DTLS:
        return "DTLS"
    family, _, number = registry("versions").name(version).partition(" ")
    return f"{family}v{number.removesuffix('.0') if family == 'SSL' else number}"


def tls_info(events: Sequence[Event]) -> str:
    """Return the text for what a frame completed in TLS."""
    return ", ".join(map(tls_text, events))


def tls_text(item: Any) -> str:
    """Return the text for one message, alert or record event."""
    if isinstance(item, HandshakeMessage):
        if item.encrypted and item.body is None:
            return "Encrypted Handshake Message"
        words = item.name.replace("_", " ").title()
        name = hello_features.server_name(item.body) if item.name == "client_hello" and item.body is not None else None
        return words if name is None else f"{words} (SNI={name.decode('utf-8', 'backslashreplace')})"
    if isinstance(item, Alert):
        if item.level < 0:
            return "Encrypted Alert"
        level = registry("alert_levels").name(item.level).title()
        description = registry("alert_descriptions").name(item.description).replace("_", " ").title()
        return f"Alert (Level: {level}, Description: {description})"
    return str(_EVENTS.get(item.kind, item.kind))


def arp(data: bytes, at: int) -> str:
    """Return the text for an ARP packet for IPv4 over Ethernet (RFC 826), of at least 28 bytes."""
    if data[at : at + 6] != b"\x00\x01\x08\x00\x06\x04":
        return "of other than IPv4 over Ethernet"
    operation = data[at + 6] << 8 | data[at + 7]
    sender, target = address_text(data[at + 14 : at + 18]), address_text(data[at + 24 : at + 28])
    if operation == 1:
        return f"Who has {target}? Tell {sender}"
    if operation == 2:
        return f"{sender} is at {data[at + 8 : at + 14].hex(':')}"
    return f"operation {operation}, from {sender} to {target}"


def icmp(data: bytes, at: int, ttl: int) -> str:
    """Return the text for an ICMP message (RFC 792) of at least 8 bytes."""
    kind, code = data[at], data[at + 1]
    words = _ICMP.get(kind, f"Type {kind}, code {code}")
    if kind in (0, 8):
        identifier, sequence = data[at + 4] << 8 | data[at + 5], data[at + 6] << 8 | data[at + 7]
        swapped = data[at + 7] << 8 | data[at + 6]
        return f"{words}  id=0x{identifier:04x}, seq={sequence}/{swapped}, ttl={ttl}"
    return f"{words} ({_UNREACHABLE.get(code, f'code {code}')})" if kind == 3 else words


def icmpv6(data: bytes, at: int, end: int) -> str:
    """Return the text for an ICMPv6 message (RFC 4443, RFC 4861) of at least 8 bytes."""
    kind = data[at]
    words = _ICMPV6.get(kind, f"Type {kind}, code {data[at + 1]}")
    if kind in (128, 129):
        identifier, sequence = data[at + 4] << 8 | data[at + 5], data[at + 6] << 8 | data[at + 7]
        return f"{words} id=0x{identifier:04x}, seq={sequence}"
    if kind in (135, 136) and end - at >= 24:
        return f"{words} {'for ' if kind == 135 else ''}{address_text(data[at + 8 : at + 24])}"
    return words


def dns(data: bytes, at: int, end: int) -> str:
    """Return the first question of a DNS message (RFC 1035 section 4); empty if the message cannot be read."""
    if end - at < 12:
        return ""
    flags = data[at + 2] << 8 | data[at + 3]
    words = "Standard query" if not flags >> 11 & 15 else f"Operation {flags >> 11 & 15}"
    if flags & 0x8000:
        words += " response"
    words += f" 0x{data[at] << 8 | data[at + 1]:04x}"
    if flags & 0x800F > 0x8000:
        words += f" error {flags & 15}"
    if not (data[at + 4] or data[at + 5]):
        return words
    labels, place = [], at + 12
    while place < end and data[place]:
        length = data[place]
        if length > 63 or length > end - place - 1:
            return words
        labels.append(data[place + 1 : place + 1 + length].decode("utf-8", "backslashreplace"))
        place += 1 + length
    if end - place < 3:
        return words
    kind = data[place + 1] << 8 | data[place + 2]
    return f"{words} {_DNS_TYPES.get(kind, f'type {kind}')} {'.'.join(labels) or '<Root>'}"
