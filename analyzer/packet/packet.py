# cython: annotation_typing=False
"""The addresses, ports and payload of one frame, filled in by `headers.read`.

While the headers are read, `payload`, `payload_end` and `missing` are a window on the bytes that are not yet read. Every header
moves the start of the window forward. Every header with a length field may move its end back. The final window is the payload.
"""

from __future__ import annotations

_COMPILED: bool = not __file__.endswith(".py")


class Packet:
    """The innermost IP packet of a frame and its transport header. One object is filled again for every frame.

    All offsets are into `data`. They are -1 if the frame has no such header.

    data: the buffer that contains the frame.
    link: the link-layer header; `ether_type`: what it announces (0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP ..., 4 for 802.2), -1
        unknown.
    vlan: the innermost VLAN id, -1 without a tag.
    tunnels: how many tunnels the packet is in; 0 for an ordinary packet.
    ip_version: 4, 6, or 0 when there is no IP header; `ip`: offset of that header.
    protocol: IP protocol number of the payload after all extension headers, -1 without IP.
    fragment: the packet is an IP fragment (its transport header is not read); `fragment_offset` in bytes, `more_fragments`,
        `fragment_id`: as the header has them. `fragment_header`: the IPv6 Fragment header, and `announced_at` the byte that
        announces it; -1 for IPv4.
    transport: offset of the transport header; source_port, destination_port: of TCP and UDP.
    sequence, acknowledgement, flags, window: of TCP; `flags` are all twelve bits.
    payload, payload_end: `data[payload:payload_end]` is the payload of the transport header; in a fragment, the payload of the
        fragment; without a readable transport header, what follows the last readable header.
    missing: bytes of that payload that the snapshot length removed.
    truncated: the snapshot length truncated a header, not only the payload.
    copy_of: the frame that has the same packet already (`flows.packet_copies`), 0 for none, or where nobody looks for it.
    problem: "" or what is wrong with the innermost header, as text; `problem_at`: its offset. If a length field claims more
        than the frame has, this is a problem, but the rest is read.
    """

    __slots__ = (
        "acknowledgement", "announced_at", "copy_of", "data", "destination_port", "ether_type", "flags", "fragment",
        "fragment_header", "fragment_id", "fragment_offset", "ip", "ip_version", "link", "missing", "more_fragments",
        "payload", "payload_end", "problem", "problem_at", "protocol", "sequence", "source_port", "transport", "truncated",
        "tunnels", "vlan", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        self.data = b""
        self.problem = ""
        self.clear()

    def clear(self) -> None:
        """Reset all attributes except `data`, before another frame is read."""
        self.link = self.payload = self.payload_end = self.problem_at = self.ether_type = self.vlan = -1
        self.missing = self.copy_of = 0
        self.tunnels = 0
        self.truncated = False
        self.problem = ""
        self.clear_ip()

    def clear_ip(self) -> None:
        """Reset the attributes of the IP packet, but not the window: the next IP packet is inside it."""
        self.ip = self.transport = self.fragment_header = self.announced_at = -1
        self.protocol = self.source_port = self.destination_port = -1
        self.ip_version = self.flags = self.window = 0
        self.fragment = self.more_fragments = False
        self.fragment_offset = self.fragment_id = self.sequence = self.acknowledgement = 0

    def key(self) -> bytes:
        """Return addresses and ports in the packet's own direction: source, destination, source port, destination port.

        They are 12 bytes for IPv4 and 36 for IPv6; empty bytes if `data` has no IP and transport header.
        """
        buffer = self.data
        n_bytes = len(self.data)
        first, n_addresses = (self.ip + 12, 8) if self.ip_version == 4 else (self.ip + 8, 32)
        ports = self.transport
        if self.ip_version == 0 or self.ip < 0 or ports < 0 or n_addresses > n_bytes - first or n_bytes - ports < 4:
            return b""
        if ports == first + n_addresses:
            return buffer[first : first + n_addresses + 4]
        return buffer[first : first + n_addresses] + buffer[ports : ports + 4]

    def has_key(self, key: bytes) -> bool:
        """Return whether `key` is the packet's key; False for an empty key. It takes a fifth of the time of `key()`."""
        n_bytes = len(key)
        first = self.ip + 12 if self.ip_version == 4 else self.ip + 8
        if n_bytes != (12 if self.ip_version == 4 else 36):
            return False
        if self.ip < 0 or self.transport != first + n_bytes - 4 or n_bytes > len(self.data) - first:
            return key == self.key()
        if _COMPILED:
            return matches_at(self.data, first, key, n_bytes)  # type: ignore[name-defined,no-any-return]  # noqa: F821 - in the .pxd
        return self.data.startswith(key, first)

    def reverse_key(self) -> bytes:
        """Return the key of the packets in the other direction; empty if this packet has no key."""
        key = self.key()
        n_addresses = len(key) - 4
        if n_addresses < 0:
            return b""
        half = n_addresses >> 1
        middle = n_addresses + 2
        octets = key
        if _COMPILED:
            return reversed_key(octets, half)  # type: ignore[name-defined,no-any-return]  # noqa: F821 - it is in the .pxd
        return octets[half:n_addresses] + octets[0:half] + octets[middle : middle + 2] + octets[n_addresses:middle]

    def is_too_short(self, n_bytes: int, header: str) -> bool:
        """Return whether the window is smaller than the `n_bytes` of `header`. If so, set `problem`.

        Set `truncated` too, if the snapshot length is the cause and not the sender.
        """
        left = self.payload_end - self.payload
        if n_bytes <= left:
            return False
        if n_bytes <= left + self.missing:
            self.truncated = True
            self.fail(f"{header} cut by the snapshot length: {left} of {n_bytes} bytes")
        else:
            self.fail(f"{header} needs {n_bytes} bytes, but {left + self.missing} are left")
        return True

    def fail(self, problem: str) -> None:
        """Set `problem` to what is wrong with the header at the window's start."""
        self.problem = problem
        self.problem_at = self.payload

    def limit_window(self, n_bytes: int) -> bool:
        """Set the window's size to `n_bytes`, which excludes padding and trailers. Return False if the window is smaller."""
        left = self.payload_end - self.payload
        if n_bytes <= left:
            self.payload_end = self.payload + n_bytes
            self.missing = 0
        elif n_bytes <= left + self.missing:
            self.missing = n_bytes - left
        else:
            return False
        return True
