"""One packet socket of Linux with a TPACKET_V3 ring (packet(7), Documentation/networking/packet_mmap.rst).

The ring is memory that kernel and process share, in blocks. The kernel fills a block and sets its status; the process takes the
packets and sets the status back. So there is no system call for each packet, but only `poll` when no block is ready.
The socket is created without a protocol, and gets packets only when it is bound, at the end. So the filter is there before the
first packet, and none that does not match is ever delivered. CAP_NET_RAW is needed to create the socket, and for nothing else.
"""

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import threading

from analyzer.capture.live.bpf import RETURN_NOTHING, attach_filter, compile_bpf, snapshot_filter
from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.hardware_types import ANY, LINUX_SLL2, link_type_of
from analyzer.capture.live.interface_facts import dropped_by_interface, flags_of, hardware_type_of, is_loopback, is_up
from analyzer.capture.live.live_options import LiveOptions
from analyzer.capture.live.privileges import explain_missing

ETH_P_ALL = 3

# linux/if_packet.h
SOL_PACKET = 263
IGNORE_OUTGOING = 23
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _FANOUT = 1, 5, 6, 10, 18
_TPACKET_V3 = 2
_PROMISCUOUS = 1
_FANOUT_HASH, _FANOUT_DEFRAGMENT, _FANOUT_UNIQUE = 0, 0x8000, 0x2000
_OF_USER = 1
_STATUS = 8
_LENGTH = 20

NEW_GROUP = -1

_NO_INTERFACE = "there is no such interface (see analyzer interfaces)"

MIB = 1 << 20
SMALLEST_BLOCK = 1 << 17
"""Bytes of a block, at least: twice the longest frame that kernels join by default."""

FEWEST_BLOCKS = 16
"""Blocks of a ring: on a slow link each block holds only what comes until its time is over, and few blocks are soon used up."""


class RingSocket:
    """The socket of one interface.

    link_type, cooked: as in `RingChannel`. snapshot_length: bytes that the kernel keeps of each frame. up: whether the
    interface was up at the last `check`. received, dropped: counted by the kernel since the socket was opened.
    """

    def __init__(self, name: str, options: LiveOptions, fanout: int | None = None) -> None:
        """Open the socket. Raise CaptureError if it cannot be opened.

        fanout: the number of a group, whose sockets share the packets; NEW_GROUP for one that nobody else has.
        """
        self.name = name
        hardware_type = None if name == ANY else hardware_type_of(name)
        if name != ANY and hardware_type is None:
            raise CaptureError(f"{name}: {_NO_INTERFACE}")
        self.link_type = link_type_of(hardware_type)
        self.cooked = self.link_type == LINUX_SLL2
        self.snapshot_length = options.snapshot_length
        self.received = self.dropped = 0
        self.up = True
        self._options = options
        self._index = 0
        self._next = 0
        self._refusal = ""
        self._barrier = threading.Lock()
        self._counting = threading.Lock()
        self._dropped_before = dropped_by_interface(name)
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM if self.cooked else socket.SOCK_RAW, 0)
        except PermissionError as error:
            raise CaptureError(f"{name}: {explain_missing()}") from error
        try:
            program = compile_bpf(options.bpf, name, self.link_type) if options.bpf else None
            attach_filter(self._socket, snapshot_filter(program, options.snapshot_length, self.cooked))
            self._make_ring()
            self._bind()
            if fanout is not None:
                if name != ANY and not is_up(flags_of(name)):
                    raise CaptureError(f"{name}: it is down, and several processes (-j) can share only what is up")
                # The kernel joins the fragments of a datagram: only the first has the ports, by which it finds the process.
                number, unique = (0, _FANOUT_UNIQUE) if fanout == NEW_GROUP else (fanout, 0)
                group = struct.pack("=HH", number, _FANOUT_HASH | _FANOUT_DEFRAGMENT | unique)
                self._socket.setsockopt(SOL_PACKET, _FANOUT, group if sys.byteorder == "little" else group[2:] + group[:2])
        except OSError as error:
            self._socket.close()
            raise CaptureError(f"{name}: {_reason(error, options)}") from error
        except CaptureError:
            self._socket.close()
            raise
        self.check()

    def group(self) -> int:
        """Return the number of the group of the socket."""
        return self._socket.getsockopt(SOL_PACKET, _FANOUT) & 0xFFFF

    def fileno(self) -> int:
        """The descriptor of the socket, for `poll`."""
        return self._socket.fileno()

    def take(self) -> bytes | None:
        """Return a copy of the next block that the kernel has filled, and give the block back. None if there is none."""
        at = self._next * self._block_size
        # The lock orders the accesses to the memory that the kernel shares, as nothing else in Python does.
        with self._barrier:
            if not self._word(at + _STATUS) & _OF_USER:
                return None
        block = self._ring[at : at + min(self._word(at + _LENGTH), self._block_size)]
        with self._barrier:
            self._ring[at + _STATUS : at + _STATUS + 4] = bytes(4)
        self._next = (self._next + 1) % self._n_blocks
        return block

    def check(self) -> str:
        """Look whether the interface is still there and up, and return what has changed as a note; else "".

        A socket of an interface that goes down stays bound, and continues when it is up. If the interface is removed and
        another one gets its name, the socket is bound to that one. The counters are read too, which have only 32 bits.
        """
        self.count()
        if self.name == ANY:
            return ""
        failed = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ENETDOWN
        flags = flags_of(self.name)
        was_up, self.up = self.up, is_up(flags)
        if flags is None:
            return f"{self.name} was removed; capturing goes on when there is an interface of that name" if was_up else ""
        try:
            if socket.if_nametoindex(self.name) != self._index:
                self._bind()
                was_up = False
        except OSError as error:  # it was removed again at this moment, or the socket belongs to a group
            self.up = False
            known, self._refusal = self._refusal, _reason(error, self._options)
            return "" if known == self._refusal else f"{self.name} cannot be captured again: {self._refusal}"
        if was_up and failed and self.up:
            return f"{self.name} went down, and is up again"
        if was_up and not self.up:
            return f"{self.name} went down; capturing goes on when it is up"
        return f"{self.name} is up again" if self.up and not was_up else ""

    def refuse_all(self) -> None:
        """Let no more packets into the ring."""
        attach_filter(self._socket, RETURN_NOTHING)

    def count(self) -> None:
        """Add the counters of the kernel, which begin at 0 after each reading, to `received` and `dropped`.

        Any thread may call this: the view does, beside the run.
        """
        with self._counting:
            received, dropped, _ = struct.unpack("3I", self._socket.getsockopt(SOL_PACKET, _STATISTICS, 12))
            self.received += received
            self.dropped += dropped

    def dropped_by_interface(self) -> int | None:
        """Packets that the interface has dropped since the socket was opened, of any traffic; None if that is not known."""
        now = dropped_by_interface(self.name)
        return None if now is None or self._dropped_before is None else max(0, now - self._dropped_before)

    def close(self) -> None:
        """Release the ring and the socket."""
        self._ring.close()
        self._socket.close()

    def _word(self, at: int) -> int:
        word: int = struct.unpack_from("I", self._ring, at)[0]
        return word

    def _make_ring(self) -> None:
        options = self._options
        # A frame that does not fit into a block with its headers (some 200 bytes) is cut. Kernels make such only if told to.
        longest = options.buffer_mib * MIB // FEWEST_BLOCKS
        self._block_size = max(SMALLEST_BLOCK, min(1 << (options.snapshot_length - 1).bit_length(), longest))
        self._n_blocks = max(2, options.buffer_mib * MIB // self._block_size)
        self._socket.setsockopt(SOL_PACKET, _VERSION, _TPACKET_V3)
        # struct tpacket_req3. The kernel wants a size of frames too, but ignores it in version 3.
        size = self._block_size * self._n_blocks
        request = (self._block_size, self._n_blocks, 2048, size // 2048, max(1, options.block_timeout_ms), 0, 0)
        self._socket.setsockopt(SOL_PACKET, _RX_RING, struct.pack("7I", *request))
        self._ring = mmap.mmap(self._socket.fileno(), size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    def _bind(self) -> None:
        if self.name == ANY:
            _bind_to(self._socket, 0)
            return
        self._index = socket.if_nametoindex(self.name)
        if is_loopback(flags_of(self.name)):
            self._socket.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)
        _bind_to(self._socket, self._index)
        if self._options.promiscuous:
            membership = struct.pack("iHH8s", self._index, _PROMISCUOUS, 0, b"")
            self._socket.setsockopt(SOL_PACKET, _ADD_MEMBERSHIP, membership)


def _bind_to(packets: socket.socket, index: int) -> None:
    """Bind to the interface of that index, 0 for all. Python's own `bind` wants a name in UTF-8, and has none for all."""
    address = struct.pack("=H2siHBB8s", socket.AF_PACKET, ETH_P_ALL.to_bytes(2, "big"), index, 0, 0, 0, b"")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(packets.fileno(), ctypes.create_string_buffer(address), len(address)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _reason(error: OSError, options: LiveOptions) -> str:
    if error.errno == errno.ENOMEM:
        return f"the kernel has no memory for a buffer of {options.buffer_mib} MiB: use a smaller one"
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return _NO_INTERFACE
    return error.strerror or str(error)
