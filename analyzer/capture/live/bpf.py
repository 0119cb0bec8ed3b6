"""Filters of packets in the kernel: from the syntax of pcap-filter(7) to a program of the BPF machine, and into a socket.

libpcap compiles the expression; scapy gives access to libpcap. A program is a list of instructions (code, jump if true, jump if
false, k), as in linux/filter.h. It returns how many bytes of a packet are kept; 0 means that the packet is dropped. So every
socket gets a program: it is also what cuts frames at the snapshot length.
"""

import ctypes
import os
import re
import socket
import struct
from collections.abc import Sequence
from typing import Any

from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.hardware_types import RAW_IP

Program = list[tuple[int, int, int, int]]

RETURN_NOTHING: Program = [(0x06, 0, 0, 0)]
"""Drops every packet."""

_SO_ATTACH_FILTER = 26
_MAX_INSTRUCTIONS = 4096
_DLT_RAW = 12
_SLL2_LENGTH = 20
_LONGEST_FRAME = 0xFFFF

# Codes of instructions (linux/bpf_common.h): the class is in the lowest three bits, the addressing mode in the highest.
_LOAD, _LOAD_INDEX, _RETURN = 0x00, 0x01, 0x06
_ABSOLUTE, _INDIRECT, _HEADER_LENGTH = 0x20, 0x40, 0xA0
_RETURN_CONSTANT = 0x06

# Where the kernel answers loads with facts about the packet (SKF_AD_OFF and after it): by their place in the header of SLL2.
_ANCILLARY = 0xFFFFF000
_COOKED_FIELDS = {0: _ANCILLARY + 0, 4: _ANCILLARY + 8, 8: _ANCILLARY + 28, 10: _ANCILLARY + 4}

_VLAN = re.compile(r"\bvlan\b", re.IGNORECASE)


def compile_bpf(expression: str, interface: str, link_type: int) -> Program:
    """Compile an expression for packets of `interface`. Raise CaptureError if it is wrong, or if libpcap is missing.

    link_type: as in `link_type_of`.
    """
    text, winpcapy = _encoded(expression), _library()
    # The kernel has taken the tag out of the frame. Only for an interface does libpcap know that, and ask the kernel for it.
    if link_type == 1 and _VLAN.search(expression):
        reason = ctypes.create_string_buffer(winpcapy.PCAP_ERRBUF_SIZE)
        handle = winpcapy.pcap_open_live(ctypes.create_string_buffer(os.fsencode(interface)), _LONGEST_FRAME, 0, 0, reason)
        if not handle:
            raise CaptureError(f"filter: libpcap cannot open {interface}: {reason.value.decode(errors='replace')}")
    else:
        handle = winpcapy.pcap_open_dead(_DLT_RAW if link_type == RAW_IP else link_type, _LONGEST_FRAME)
    try:
        return _compile(winpcapy, handle, text)
    finally:
        winpcapy.pcap_close(handle)


def compile_for_link_type(expression: str, link_type: int, longest: int) -> Program:
    """Compile an expression for frames of a file. longest: bytes of a frame. Raise CaptureError as `compile_bpf` does."""
    text, winpcapy = _encoded(expression), _library()
    handle = winpcapy.pcap_open_dead(_DLT_RAW if link_type == RAW_IP else link_type, longest)
    try:
        return _compile(winpcapy, handle, text)
    finally:
        winpcapy.pcap_close(handle)


def runner() -> Any:
    """Return `bpf_filter` of libpcap: from a program, the bytes of a frame, its length on the wire and that of the bytes, to
    how many bytes are kept. Raise CaptureError if libpcap is missing."""
    function = _library()._lib.bpf_filter
    function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_uint]
    function.restype = ctypes.c_uint
    return function


def snapshot_filter(program: Program | None, snapshot_length: int, cooked: bool) -> Program:
    """Return a program that keeps `snapshot_length` bytes of the packets that `program` accepts; None accepts all.

    cooked: whether the socket gives packets without link-layer header. Then loads from the header of LINKTYPE_LINUX_SLL2, for
    which `program` was compiled, become requests to the kernel, and other loads lose its length. Raise CaptureError if
    `program` needs a part of that header that the kernel does not give.
    """
    if program is None:
        return [(_RETURN_CONSTANT, 0, 0, snapshot_length)]
    changed = []
    for code, if_true, if_false, k in program:
        if code == _RETURN_CONSTANT and k:
            k = snapshot_length
        elif cooked and code & 0x07 in (_LOAD, _LOAD_INDEX) and code & 0xE0 in (_ABSOLUTE, _INDIRECT, _HEADER_LENGTH):
            k = _without_header(k)
        changed.append((code, if_true, if_false, k))
    return changed


def attach_filter(packets: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    """Set the filter of a socket, in place of the one that it has. Raise CaptureError if the kernel refuses it."""
    if len(program) > _MAX_INSTRUCTIONS:
        raise CaptureError(f"the filter has {len(program)} instructions; the kernel takes {_MAX_INSTRUCTIONS}")
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    try:
        packets.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code)))
    except OSError as error:
        raise CaptureError(f"the kernel refuses the filter: {error.strerror}") from error


def _encoded(expression: str) -> bytes:
    if "\0" in expression:
        raise CaptureError("the filter contains a zero byte")
    try:
        return expression.encode()
    except UnicodeEncodeError as error:
        raise CaptureError("the filter is not UTF-8") from error


def _library() -> Any:
    """Return what gives access to libpcap."""
    try:
        from scapy.libs import winpcapy
    except OSError as error:
        raise CaptureError(
            "a filter needs libpcap, which is not installed (package libpcap0.8, libpcap or libpcap-dev of your system)"
        ) from error
    return winpcapy


def _compile(winpcapy: Any, handle: Any, text: bytes) -> Program:
    """Compile for an open handle of libpcap."""
    # Not scapy's `compile_filter`: its module lists the interfaces when it is imported, and fails if a name is not UTF-8.
    from scapy.libs.structures import bpf_program

    compiled = bpf_program()
    if winpcapy.pcap_compile(handle, ctypes.byref(compiled), ctypes.create_string_buffer(text), 1, -1) == -1:
        reason = ctypes.string_at(winpcapy.pcap_geterr(handle)).decode(errors="replace")
        raise CaptureError(f"filter: {text.decode()!r}: {reason}")
    program = _instructions(compiled)
    winpcapy.pcap_freecode(ctypes.byref(compiled))
    return program


def _instructions(compiled: Any) -> Program:
    return [(one.code, one.jt, one.jf, one.k & 0xFFFFFFFF) for one in (compiled.bf_insns[n] for n in range(compiled.bf_len))]


def _without_header(k: int) -> int:
    if _SLL2_LENGTH <= k < 0x80000000:
        return k - _SLL2_LENGTH
    if k >= 0x80000000:
        return k
    if k in _COOKED_FIELDS:
        return _COOKED_FIELDS[k]
    raise CaptureError(f"filter: the kernel does not give byte {k} of the header that `any` has")
