"""Captures through the sockets of scapy, on systems without the ring of Linux (macOS, Windows), or where they are asked for.

scapy takes one system call and some Python for each packet, and its times have microseconds. So this keeps up with a small part
of the packets of `ring_capture`. Its sockets do not count what is lost.
"""

import errno
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

from analyzer.capture.blocks import MICROSECOND_CLOCK, Interface
from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.live.bpf import RETURN_NOTHING, attach_filter, compile_bpf, snapshot_filter
from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.hardware_types import ANY, LINUX_SLL2, RAW_IP, link_type_of
from analyzer.capture.live.interface_facts import (
    dropped_by_interface,
    flags_of,
    hardware_type_of,
    is_loopback,
    is_up,
    list_interfaces,
)
from analyzer.capture.live.live_options import InterfaceStatistics, LiveOptions
from analyzer.capture.live.privileges import explain_missing
from analyzer.capture.live.ring_socket import IGNORE_OUTGOING, MIB, SOL_PACKET

MOST_FRAMES = 1024
"""Frames that one turn reads at most, so that a turn ends on a busy interface."""

_LONGEST_FRAME = 1 << 18

_CLOCK_START = 0.05
"""Seconds until Linux gives packets the time of their arrival, after a socket has asked for it. Before, they have none."""

_LINUX = sys.platform == "linux"

_SLICE = 0.05
"""Seconds of waiting after which `wake` and `finish` are noticed: some systems cannot wait for both a socket and a signal."""


class SocketReader(FrameReader):
    """Reads the frames that were received in this turn. arrived: bytes, time in ns, interface and length on the wire of
    each, the next one last."""

    __slots__ = ("arrived",)

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)
        self.arrived: list[tuple[bytes, int, int, int]] = []
        frame.offset = -1

    def advance(self) -> bool:
        """Move `frame` to the next frame. Return False if there is none now."""
        if not self.arrived:
            return False
        data, at, number, wire_length = self.arrived.pop()
        frame = self.frame
        frame.number += 1
        frame.at = at
        frame.data = data
        frame.start = 0
        frame.end = len(data)
        frame.wire_length = wire_length
        frame.link_type = self.interfaces[number].link_type
        frame.interface = number
        return True


class ScapyCapture:
    """The sockets of the interfaces `names`; `any` stands for all that are up. reader: gets what has arrived in each turn.

    A frame that is longer than the snapshot length is cut here, and its length on the wire is known.
    """

    def __init__(self, names: Sequence[str], options: LiveOptions) -> None:
        """Open all sockets. Raise CaptureError if one cannot be opened; then none is open."""
        conf = _load_scapy()
        self._select = conf.L2listen.select
        self._snapshot_length = options.snapshot_length
        self._names = _all_names(names)
        self._sockets: list[Any] = []
        self._received = [0] * len(self._names)
        self._woken = self._refusing = False
        self._notes: list[str] = []
        self._up: list[bool] = []
        self._dropped_before = [dropped_by_interface(name) for name in self._names]
        self.reader = SocketReader(Frame())
        for number, name in enumerate(self._names):
            try:
                self._sockets.append(_open(conf, name, options))
            except CaptureError:
                self.close()
                raise
            link_type = _link_type(conf, self._sockets[-1], name)
            self._up.append(_is_up(name))
            self.reader.interfaces.append(
                Interface(number, 0, link_type, options.snapshot_length, MICROSECOND_CLOCK.text, name=name, filter=options.bpf)
            )

    def collect(self) -> bool:
        """See `Sockets.collect`."""
        arrived = self.reader.arrived
        while not self._refusing and len(arrived) < MOST_FRAMES and (ready := self._select(self._sockets, 0)):
            for one in ready:
                self._receive(one)
        arrived.reverse()
        return bool(arrived)

    def wait(self, seconds: float) -> None:
        """See `Sockets.wait`."""
        until = time.monotonic() + seconds
        while not self._woken and (left := until - time.monotonic()) > 0:
            if not self._refusing and self._select(self._sockets, min(left, _SLICE)):
                break
            if self._refusing:
                time.sleep(min(left, _SLICE))
        self._woken = False
        for number, name in enumerate(self._names):
            self._note_state(number, _is_up(name))

    def wake(self) -> None:
        """See `Sockets.wake`."""
        self._woken = True

    def finish(self) -> float:
        """See `Sockets.finish`. What is in the sockets then is read in this turn."""
        self.collect()
        self.reader.arrived.reverse()
        self._refusing = True
        return 0.0

    def take_notes(self) -> list[str]:
        """See `Sockets.take_notes`."""
        notes, self._notes = self._notes, []
        return notes

    def statistics(self) -> list[InterfaceStatistics]:
        """See `Sockets.statistics`. received: those that were delivered, because the sockets of scapy do not count others."""
        counted = zip(self.reader.interfaces, self._received, self._dropped_before, self._up, strict=True)
        return [
            InterfaceStatistics(
                name=interface.name or "",
                received=received,
                dropped_by_kernel=None,
                dropped_by_interface=_since(interface.name or "", before),
                dropped_by_queue=0,
                link_type=interface.link_type,
                up=up,
            )
            for interface, received, before, up in counted
        ]

    def close(self) -> None:
        """See `Sockets.close`."""
        for one in self._sockets:
            one.close()
        self._refusing = True

    def _receive(self, one: Any) -> None:
        number = self._sockets.index(one)
        try:
            _, data, seconds = one.recv_raw(_LONGEST_FRAME)
        except OSError as error:
            if error.errno not in (errno.ENETDOWN, errno.ENXIO):
                raise
            self._note_state(number, False)
            return
        if data:
            at = time.time_ns() if seconds is None else round(seconds * 1_000_000) * 1000
            self._received[number] += 1
            self.reader.arrived.append((data[: self._snapshot_length], at, number, len(data)))

    def _note_state(self, number: int, up: bool) -> None:
        if up != self._up[number]:
            self._up[number] = up
            self._notes.append(f"{self._names[number]} {'is up again' if up else 'went down; capturing goes on when it is up'}")


def _load_scapy() -> Any:
    """Return the settings of scapy, which then have its sockets. It lists the interfaces when it is imported."""
    try:
        import scapy.layers.l2  # noqa: F401 - which sets what `conf` has
        from scapy.config import conf

        conf.ifaces.reload()
    except UnicodeDecodeError as error:
        reason = "the name of an interface is not UTF-8, and beside it the backend scapy can open none; use the ring"
        raise CaptureError(reason) from error
    return conf


def _all_names(names: Sequence[str]) -> list[str]:
    if ANY not in names:
        return list(names)
    return [facts.name for facts in list_interfaces() if facts.state != "down"]


def _open(conf: Any, name: str, options: LiveOptions) -> Any:
    """Open the socket of scapy that listens on an interface."""
    if _LINUX:
        if hardware_type_of(name) is None:
            raise CaptureError(f"{name}: there is no such interface (see analyzer interfaces)")
        if link_type_of(hardware_type_of(name)) == LINUX_SLL2:
            raise CaptureError(f"{name}: the backend scapy does not know the packets of such interfaces; use the ring")
    program = compile_bpf(options.bpf, name, 1) if options.bpf else None
    try:
        # On Linux the filter is set below, in a way that knows VLAN tags and drops what came before it.
        opened = conf.L2listen(iface=name, promisc=options.promiscuous, filter=None if _LINUX else options.bpf)
    except PermissionError as error:
        raise CaptureError(f"{name}: {explain_missing()}") from error
    except Exception as error:  # scapy raises its own, and what ctypes and the system raise
        raise CaptureError(f"{name}: scapy cannot open it: {error}") from error
    if _LINUX:
        # The system may give a smaller buffer: net.core.rmem_max is the limit of those who are not root.
        opened.ins.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options.buffer_mib * MIB)
        if is_loopback(flags_of(name)):
            opened.ins.setsockopt(SOL_PACKET, IGNORE_OUTGOING, 1)
        attach_filter(opened.ins, RETURN_NOTHING)
        time.sleep(_CLOCK_START)
        while conf.L2listen.select([opened], 0):
            opened.recv_raw(_LONGEST_FRAME)
        attach_filter(opened.ins, snapshot_filter(program, _LONGEST_FRAME, cooked=False))
    return opened


def _link_type(conf: Any, opened: Any, name: str) -> int:
    hardware_type = hardware_type_of(name)
    if hardware_type is not None:
        return link_type_of(hardware_type)
    kind = getattr(opened, "LL", None) or getattr(opened, "guessed_cls", None)
    number: int = conf.l2types.layer2num.get(kind, 1)
    return RAW_IP if number in (12, 14) else number


def _is_up(name: str) -> bool:
    """Whether an interface is up; True where the system does not say."""
    flags = flags_of(name)
    return is_up(flags) if flags is not None else not _LINUX


def _since(name: str, before: int | None) -> int | None:
    now = dropped_by_interface(name)
    return None if now is None or before is None else max(0, now - before)
