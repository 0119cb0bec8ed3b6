"""How interfaces are captured, and what is counted there."""

from dataclasses import dataclass
from typing import Literal

Backend = Literal["ring", "scapy"]


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The options of a live capture. They are the same for all its interfaces.

    bpf: a filter in the syntax of pcap-filter(7), which the kernel applies; None for all packets.
    buffer_mib: the ring of each interface, in MiB. dumpcap has 2. That is 16 ms of a full gigabit, and a program that analyses
    may rest longer than that. The default is a quarter of a second of it.
    snapshot_length: bytes kept of each frame; 262,144 as in dumpcap, so that frames which the kernel has joined are whole.
    promiscuous: whether the card also receives frames for others.
    backend: `ring` is a TPACKET_V3 ring of Linux, `scapy` its sockets; None for the best that the platform has.
    block_timeout_ms: milliseconds until the kernel hands over a block of the ring that is not full. This is the delay of
    packets on a slow link. It cannot be 0: then the kernel chooses a time by the speed of the link.
    """

    bpf: str | None = None
    buffer_mib: int = 32
    snapshot_length: int = 262_144
    promiscuous: bool = True
    backend: Backend | None = None
    block_timeout_ms: int = 20


@dataclass(frozen=True, slots=True)
class InterfaceStatistics:
    """Counters of one interface since the capture was opened.

    received: packets that passed the filter, dropped ones included. dropped_by_kernel: because the ring or the buffer of the
    socket was full. dropped_by_interface: by the card or its driver, of any traffic; None where the system does not say.
    dropped_by_queue: in a queue of this program between socket and engine; 0, because no backend has one. A backend whose
    counters cannot be read says None. link_type: the LINKTYPE_ number. up: whether the interface is up now.
    """

    name: str
    received: int | None
    dropped_by_kernel: int | None
    dropped_by_interface: int | None
    dropped_by_queue: int
    link_type: int
    up: bool
