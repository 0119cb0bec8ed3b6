"""Reads from a pcapng which process sent or received a packet.

There are two forms. Apple's tcpdump writes a block of type 0x80000001 for each process (process id, name, UUID), and packets
refer to it by its number in the file, with the option 0x8001 (Wireshark: Darwin Process Information Block). The other form is
draft-ietf-opsawg-pcapng: the option `epb_processid_threadid` (8) of a packet is a process id and a thread id, 0 if there is
none, for example for packets that came in. Wireshark 5 describes such processes in its own Custom Blocks (enterprise number
32622, entry type 3), which have the body of the Process Information Block that is proposed for the draft. Such an entry is
little-endian in all sections. If a process id has several blocks, because the system used it again, the right one is the last
that had started at the time of the packet.

A third form is in the packets: PCAPdroid writes a trailer of 32 bytes behind each, with the number of the user and the name of
the app (its `pcap_dump.c`); Android runs each app as a user of its own. Before it are up to three zero bytes, so that the frame
has whole words, and before the packet an Ethernet header of its own whose addresses are zero. No frame from a network has
those, so nobody who only sends packets can name an app.

Almost all packets of such a file belong to some process, and neighbours often to the same. So runs of frames are kept.
"""

from array import array
from bisect import bisect_right

from analyzer.capture.blocks import ByteOrder, read_options
from analyzer.capture.frame import Frame
from analyzer.capture.processes.process_identity import Process, text_of
from analyzer.codec.errors import Anomaly

WIRESHARK_ENTERPRISE = 32622

MAX_PROCESSES = 65_536
"""Blocks of one file that are kept. Systems have fewer processes at one time."""

MAX_RUNS = 1 << 20
"""Runs of frames that are kept, 20 bytes each. With more, the older half is dropped: those sessions have no process."""

APP_TRAILER = 32
"""Bytes of PCAPdroid's trailer: magic number, user, name of the app in 20 bytes, frame check sequence."""

LONGEST_APP_TRAILER = APP_TRAILER + 3
"""The same with the zero bytes before it."""

_NO_ADDRESSES = bytes(12)
_ETHERNET = 1
_APP_MAGIC = bytes.fromhex("01072021")
_PROCESS_INFORMATION = 3
_NAME, _DARWIN_NAME, _USER_ID, _USER = 2, 2, 6, 7
_START_TIME = 9
_PROCESS_AND_THREAD, _DARWIN_BLOCK = 8, 0x8001
_ENTRY_HEADER = 12
"""Bytes before the body of an entry in a Custom Block: enterprise number, entry type, entry length."""


class FrameProcesses:
    """The processes of one file, and which frames belong to them.

    any: whether a frame with a known process was seen.
    """

    __slots__ = ("_apps", "_blocks", "_by_pid", "_first", "_last", "_processes", "_who", "any")

    def __init__(self) -> None:
        self.any = False
        self._apps: dict[bytes, int] = {}
        self._processes: list[Process] = []
        self._blocks: list[int] = []
        self._by_pid: dict[int, list[tuple[int, int]]] = {}
        self._first = array("q")
        self._last = array("q")
        self._who = array("i")

    def read_darwin_block(self, body: bytes, order: ByteOrder, offset: int) -> Anomaly | None:
        """Read the body of a block of Apple's, and return an anomaly or None. offset: of the block in the file, in bytes."""
        block = "Darwin Process Information Block"
        if len(body) < 4:
            self._blocks.append(-1)  # later blocks keep their numbers
            return Anomaly(block, offset, f"{len(body)} bytes are too few for its fixed fields")
        options, anomaly = read_options(body, 4, order, offset + 8, block)
        name = next((text_of(value) for code, value in options if code == _DARWIN_NAME), None)
        self._add_block(Process(name, int.from_bytes(body[:4], order)), None)
        return anomaly

    def read_custom_block(self, body: bytes, order: ByteOrder, offset: int) -> Anomaly | None:
        """Read the body of a Custom Block, if it is one of Wireshark's that describes a process; else do nothing."""
        if len(body) < _ENTRY_HEADER or int.from_bytes(body[:4], order) != WIRESHARK_ENTERPRISE:
            return None
        if int.from_bytes(body[4:8], "little") != _PROCESS_INFORMATION:
            return None
        block = "Process Information Block"
        length = int.from_bytes(body[8:12], "little")
        if length < 4 or length > len(body) - _ENTRY_HEADER:
            return Anomaly(block, offset, f"{length} bytes declared, {len(body) - _ENTRY_HEADER} in the block")
        entry = body[_ENTRY_HEADER : _ENTRY_HEADER + length]
        options, anomaly = read_options(entry, 4, "little", offset + 8 + _ENTRY_HEADER, block)
        values = dict(reversed(options))  # of options that come twice, the first counts
        user = text_of(values.get(_USER, b""))
        if user is None and len(values.get(_USER_ID, b"")) == 4:
            user = str(int.from_bytes(values[_USER_ID], "little"))
        start = int.from_bytes(values[_START_TIME], "little") if len(values.get(_START_TIME, b"")) == 8 else None
        self._add_block(Process(text_of(values.get(_NAME, b"")), int.from_bytes(entry[:4], "little"), user), start)
        return anomaly

    def read_option(self, frame: Frame, code: int, value: bytes, little: bool) -> None:
        """Read an option of a packet: the ids of its process and thread (8), or the number of its block (0x8001)."""
        number = int.from_bytes(value[:4], "little" if little else "big")
        if code == _PROCESS_AND_THREAD and len(value) == 8:
            self.note_pid(frame.number, number, frame.at)
        elif code == _DARWIN_BLOCK and len(value) == 4:
            self.note_block(frame.number, number)

    def note_block(self, frame: int, number: int) -> None:
        """Note that a frame belongs to the process of a block. number: of the block in the file, from 0."""
        if number < len(self._blocks) and self._blocks[number] >= 0:
            self._note(frame, self._blocks[number])

    def note_pid(self, frame: int, pid: int, at: int) -> None:
        """Note that a frame belongs to the process with this id, 0 for none. at: the frame's time, ns since the epoch."""
        if pid == 0:
            return
        known = self._by_pid.get(pid)
        if known is None:
            if len(self._processes) >= MAX_PROCESSES:
                return
            self._processes.append(Process(pid=pid))
            known = self._by_pid[pid] = [(-1, len(self._processes) - 1)]
        started = [who for start, who in known if start <= at]
        self._note(frame, started[-1] if started else known[0][1])

    def read_trailer(self, frame: int, data: bytes, end: int, link_type: int) -> None:
        """Read the trailer of PCAPdroid behind the packet of a frame, if there is one; else do nothing.

        data: the frame, of that link type. end: where its packet ends.
        """
        begin = app_trailer_at(data, end, link_type)
        if begin < 0:
            return
        app = data[begin + 4 : begin + 28]
        who = self._apps.get(app)
        if who is None:
            if len(self._processes) >= MAX_PROCESSES:
                return
            user = int.from_bytes(app[:4], "big", signed=True)
            self._processes.append(Process(text_of(app[4:].partition(b"\0")[0]), None, str(user) if user >= 0 else None))
            who = self._apps[app] = len(self._processes) - 1
        self._note(frame, who)

    def of(self, frame: int) -> Process | None:
        """Return the process of a frame, None if it is not known."""
        place = bisect_right(self._first, frame) - 1
        if place < 0 or frame > self._last[place]:
            return None
        return self._processes[self._who[place]]

    def _add_block(self, process: Process, start: int | None) -> None:
        if len(self._blocks) >= MAX_PROCESSES or len(self._processes) >= MAX_PROCESSES:
            return
        self._processes.append(process)
        who = len(self._processes) - 1
        self._blocks.append(who)
        if process.pid is None:
            return
        known = self._by_pid.setdefault(process.pid, [])
        if start is None or (len(known) == 1 and known[0][0] < 0):
            known[:] = [(-1 if start is None else start, who)]  # without start times, the last block counts
        elif len(known) < 64:
            known.append((start, who))
            known.sort()

    def _note(self, frame: int, who: int) -> None:
        self.any = True
        if len(self._who) and self._who[-1] == who and self._last[-1] == frame - 1:
            self._last[-1] = frame
            return
        if len(self._who) >= MAX_RUNS:
            for runs in (self._first, self._last, self._who):
                del runs[: MAX_RUNS // 2]
        self._first.append(frame)
        self._last.append(frame)
        self._who.append(who)


def app_trailer_at(data: bytes, end: int, link_type: int) -> int:
    """Return where the trailer of PCAPdroid begins in a frame whose packet ends at `end`; -1 without one."""
    begin = len(data) - APP_TRAILER
    if link_type != _ETHERNET or not end <= begin <= end + LONGEST_APP_TRAILER - APP_TRAILER or any(data[end:begin]):
        return -1
    return begin if data.startswith(_NO_ADDRESSES) and data.startswith(_APP_MAGIC, begin) else -1
