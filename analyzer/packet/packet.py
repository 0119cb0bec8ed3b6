"""What one frame says of addresses, ports and payload, filled in by `headers.read`."""


class Packet:
    """The innermost IP packet of a frame and its transport header; one object, filled anew for every frame.

    All offsets are into `data`; -1 where the frame has no such header.

    data: the buffer that the frame lies in.
    link: the link-layer header; `ether_type`: what it announces (0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP ...), -1 unknown.
    vlan: the innermost VLAN id, -1 without a tag.
    ip_version: 4, 6, or 0 when there is no IP header; `ip`: offset of that header.
    protocol: IP protocol number of the payload after all extension headers, -1 without IP.
    fragment: the packet is an IP fragment (its transport header is not read); `fragment_offset` in bytes, `more_fragments`,
        `fragment_id`: as the header has them.
    transport: offset of the transport header; source_port, destination_port: of TCP and UDP.
    sequence, acknowledgement, flags, window: of TCP.
    payload, payload_end: the transport's payload (of a fragment: the fragment's payload) is `data[payload:payload_end]`.
    missing: bytes of that payload which the snapshot length cut off.
    problem: "" or what is wrong with the innermost header that could not be read, in words; `problem_at` its offset.
    """

    __slots__ = (
        "acknowledgement", "data", "destination_port", "ether_type", "flags", "fragment", "fragment_id", "fragment_offset",
        "ip", "ip_version", "link", "missing", "more_fragments", "payload", "payload_end", "problem", "problem_at", "protocol",
        "sequence", "source_port", "transport", "vlan", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        self.data = b""
        self.problem = ""
        self.clear()

    def clear(self) -> None:
        """Forget the last frame."""
        self.link = self.ip = self.transport = self.payload = self.payload_end = self.problem_at = -1
        self.ether_type = self.vlan = self.protocol = self.source_port = self.destination_port = -1
        self.ip_version = self.flags = self.window = 0
        self.fragment = self.more_fragments = False
        self.fragment_offset = self.fragment_id = self.sequence = self.acknowledgement = self.missing = 0
        self.problem = ""

    def key(self) -> bytes:
        """Addresses and ports in the packet's own direction: source, destination, source port, destination port."""
        addresses = self.data[self.ip + 12 : self.ip + 20] if self.ip_version == 4 else self.data[self.ip + 8 : self.ip + 40]
        return addresses + self.data[self.transport : self.transport + 4]
