"""A filter in the syntax of pcap-filter(7) for frames of files: libpcap compiles it, once for each link type, and runs it.

`bpf_filter` of libpcap is called with the bytes of each frame.
"""

import ctypes
import struct
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.live.bpf import compile_for_link_type, runner
from analyzer.capture.live.capture_error import CaptureError

__all__ = ["CaptureError", "PacketFilter"]

_LONGEST_FRAME = 262_144


class PacketFilter:
    """Asks one expression about frames. passed: whether a frame has passed so far."""

    def __init__(self, expression: str) -> None:
        """Raises CaptureError if the expression is wrong for Ethernet, or if libpcap is missing."""
        self.expression = expression
        self.passed = False
        self._run: Any = None
        self._programs: dict[int, Any] = {}
        self._program(1)

    def __call__(self, frame: Frame) -> bool:
        """Return whether a frame passes; False for a link type for which the expression has no meaning."""
        program = self._programs.get(frame.link_type, self)
        if program is self:
            program = self._program(frame.link_type)
        if program is None:
            return False
        data = frame.data[frame.start : frame.end]
        passes = bool(self._run(program, data, min(frame.wire_length, 0xFFFFFFFF), len(data)))
        self.passed = self.passed or passes
        return passes

    def _program(self, link_type: int) -> Any:
        """Return the program for a link type, None where there is none."""
        try:
            instructions = compile_for_link_type(self.expression, link_type, _LONGEST_FRAME)
        except CaptureError:
            if not self._programs:
                raise
            self._programs[link_type] = None
            return None
        if self._run is None:
            self._run = runner()
        code = b"".join(struct.pack("HBBI", *one) for one in instructions)
        program = self._programs[link_type] = ctypes.create_string_buffer(code, len(code))
        return program
