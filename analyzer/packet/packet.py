# cython: annotation_typing=False
"""What one frame says of addresses, ports and payload, filled in by `headers.read`.

While the headers are read, `payload`, `payload_end` and `missing` are the window of what is still to be read: every header
moves its front on, and every header that carries a length narrows its back. What is left in the end is the payload.
"""

import cython


class Packet:
    """The innermost IP packet of a frame and its transport header; one object, filled anew for every frame.

    All offsets are into `data`; -1 where the frame has no such header.

    data: the buffer that the frame lies in.
    link: the link-layer header; `ether_type`: what it announces (0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP ...), -1 unknown.
    vlan: the innermost VLAN id, -1 without a tag.
    tunnels: how many tunnels the packet lies in; 0 for an ordinary one.
    ip_version: 4, 6, or 0 when there is no IP header; `ip`: offset of that header.
    protocol: IP protocol number of the payload after all extension headers, -1 without IP.
    fragment: the packet is an IP fragment (its transport header is not read); `fragment_offset` in bytes, `more_fragments`,
        `fragment_id`: as the header has them. `fragment_header`: the IPv6 Fragment header, and `announced_at` the byte that
        announces it; -1 for IPv4.
    transport: offset of the transport header; source_port, destination_port: of TCP and UDP.
    sequence, acknowledgement, flags, window: of TCP; `flags` are all twelve bits.
    payload, payload_end: the transport's payload (of a fragment: the fragment's payload; without a transport header that could
        be read: what follows the last header that could) is `data[payload:payload_end]`.
    missing: bytes of that payload which the snapshot length cut off.
    truncated: a header, not only payload, fell to the snapshot length.
    problem: "" or what is wrong with the innermost header, in words; `problem_at` its offset. A length field that claims more
        than the frame has is a problem that does not keep the rest from being read.
    """

    __slots__ = (
        "acknowledgement", "announced_at", "data", "destination_port", "ether_type", "flags", "fragment",
        "fragment_header", "fragment_id", "fragment_offset", "ip", "ip_version", "link", "missing", "more_fragments", "payload",
        "payload_end", "problem", "problem_at", "protocol", "sequence", "source_port", "transport", "truncated",
        "tunnels", "vlan", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        self.data = b""
        self.problem = ""
        self.clear()

    def clear(self) -> None:
        """Forget the last frame."""
        self.link = self.payload = self.payload_end = self.problem_at = self.ether_type = self.vlan = -1
        self.missing = 0
        self.tunnels = 0
        self.truncated = False
        self.problem = ""
        self.forget_ip()

    def forget_ip(self) -> None:
        """Forget the IP packet, but not the window: the next one lies inside it."""
        self.ip = self.transport = self.fragment_header = self.announced_at = -1
        self.protocol = self.source_port = self.destination_port = -1
        self.ip_version = self.flags = self.window = 0
        self.fragment = self.more_fragments = False
        self.fragment_offset = self.fragment_id = self.sequence = self.acknowledgement = 0

    def key(self) -> bytes:
        """Addresses and ports in the packet's own direction: source, destination, source port, destination port.

        12 bytes for IPv4, 36 for IPv6; empty when `data` holds no IP and transport header.
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
        """Whether that is the packet's key, in a fifth of the time that making one takes; never for an empty one."""
        n_bytes = len(key)
        first = self.ip + 12 if self.ip_version == 4 else self.ip + 8
        if n_bytes != (12 if self.ip_version == 4 else 36):
            return False
        if self.ip < 0 or self.transport != first + n_bytes - 4 or n_bytes > len(self.data) - first:
            return key == self.key()
        if cython.compiled:
            return lies_at(self.data, first, key, n_bytes)  # type: ignore[name-defined,no-any-return]  # noqa: F821 - in the .pxd
        return self.data.startswith(key, first)

    def reverse_key(self) -> bytes:
        """The key of the packets that answer this one."""
        key = self.key()
        n_addresses = len(key) - 4
        if n_addresses < 0:
            return b""
        half = n_addresses >> 1
        middle = n_addresses + 2
        octets = key
        if cython.compiled:
            return turned(octets, half)  # type: ignore[name-defined,no-any-return]  # noqa: F821 - it is in the .pxd
        return octets[half:n_addresses] + octets[0:half] + octets[middle : middle + 2] + octets[n_addresses:middle]

    def falls_short(self, n_bytes: int, header: str) -> bool:
        """Whether the window has less than the `n_bytes` of `header`; then `problem`, and `truncated` if it was not the
        sender."""
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
        """Note what is wrong with the header at the window's front."""
        self.problem = problem
        self.problem_at = self.payload

    def narrow(self, n_bytes: int) -> bool:
        """Let the window end `n_bytes` from its front, so that padding and trailers fall off; False when it is smaller."""
        left = self.payload_end - self.payload
        if n_bytes <= left:
            self.payload_end = self.payload + n_bytes
            self.missing = 0
        elif n_bytes <= left + self.missing:
            self.missing = n_bytes - left
        else:
            return False
        return True
