"""Send the frames of a pcap file through an interface at a steady rate: `python -m benchmarks.replay INTERFACE FILE --rate R`.

Frames go through a packet socket (packet(7)) with sendmmsg(2), many in one system call, past the queue of the interface. All
structures that the call needs are made before the first frame goes out, so Python runs once for a batch and not for a frame.
The file is sent from its start again when it ends. At the end, one line of JSON says how many frames went out in which time.
"""

import argparse
import ctypes
import json
import mmap
import os
import socket
import struct
import time
from array import array
from pathlib import Path

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
MOST_AT_ONCE = 64
"""Frames in one system call. The queue in which the other end of a virtual link receives holds a thousand."""

ENOBUFS = 105


class Frames:
    """The frames of a little-endian pcap file, as an array of `struct mmsghdr` for sendmmsg(2)."""

    def __init__(self, path: Path, most: int) -> None:
        """most: frames that are used, from the start of the file."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            kind = mmap.MAP_PRIVATE | mmap.MAP_POPULATE
            self._map = mmap.mmap(file.fileno(), size, kind, mmap.PROT_READ | mmap.PROT_WRITE)
        if struct.unpack_from("<I", self._map)[0] != 0xA1B2C3D4:
            raise SystemExit(f"{path}: not a little-endian pcap file")
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        pieces = array("Q")  # struct iovec: address and length
        at = 24
        while at < size and len(pieces) < 2 * most:
            length = struct.unpack_from("<I", self._map, at + 8)[0]
            pieces.append(base + at + 16)
            pieces.append(length)
            at += 16 + length
        self.n_frames = len(pieces) // 2
        self.n_bytes = sum(pieces[1::2])
        self._pieces = pieces
        first = pieces.buffer_info()[0]
        headers = array("Q", bytes(64 * self.n_frames))
        headers[2::8] = array("Q", range(first, first + 16 * self.n_frames, 16))  # msg_iov
        headers[3::8] = array("Q", [1]) * self.n_frames  # msg_iovlen
        self._headers = headers
        self.address = headers.buffer_info()[0]


def send(interface: str, frames: Frames, rate: float, seconds: float) -> dict[str, float]:
    """Send for so many seconds, and return how many frames went out in how many seconds. rate: frames a second, 0 for all."""
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((interface, 0))
    sender.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
    sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
    sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    descriptor, at_once = sender.fileno(), max(1, min(MOST_AT_ONCE, round(rate / 1000) or MOST_AT_ONCE))
    sent = at = 0
    clock = time.perf_counter
    started = clock()
    now, end = started, started + seconds
    while now < end:
        due = started + sent / rate if rate else now
        if due > now:
            if due - now > 0.0002:
                time.sleep(due - now - 0.0001)
            now = clock()
            continue
        n_sent = sendmmsg(descriptor, frames.address + 64 * at, min(at_once, frames.n_frames - at), 0)
        if n_sent < 0:
            error = ctypes.get_errno()
            if error != ENOBUFS:
                raise OSError(error, os.strerror(error))
            n_sent = 0
        sent += n_sent
        at = (at + n_sent) % frames.n_frames
        now = clock()
    return {"sent": sent, "seconds": now - started}


def main() -> None:
    """Read the command line, wait for a line on standard input if asked to, and send."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description="Send the frames of a pcap file.")
    parser.add_argument("interface")
    parser.add_argument("file", type=Path)
    parser.add_argument("--rate", type=float, default=0, help="frames a second (0: as fast as it goes)")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--most", type=int, default=1 << 20, help="frames of the file that are used")
    parser.add_argument("--lines", action="store_true", help="read `RATE SECONDS` from each line of standard input instead")
    args = parser.parse_args()
    frames = Frames(args.file, args.most)
    if not args.lines:
        print(json.dumps(send(args.interface, frames, args.rate, args.seconds)))
        return
    print(json.dumps({"frames": frames.n_frames, "bytes": frames.n_bytes}), flush=True)
    while line := input_line():
        rate, seconds = map(float, line.split())
        print(json.dumps(send(args.interface, frames, rate, seconds)), flush=True)


def input_line() -> str:
    """The next line of standard input, empty at its end."""
    try:
        return input()
    except EOFError:
        return ""


if __name__ == "__main__":
    main()
