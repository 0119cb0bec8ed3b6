"""Reads the numbers of capture files, in either byte order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython


def read_u16(data: bytes, at: cython.Py_ssize_t, little: cython.bint) -> cython.longlong:
    """Read two bytes as an unsigned number. Raise IndexError outside `data`."""
    # One check, then reads through a pointer. The C compiler makes a single load of them.
    if at < 0 or at > len(data) - 2:
        raise IndexError(at)
    view: cython.p_const_uchar = data  # type: ignore[assignment]  # C sees the bytes
    if little:
        return view[at] | view[at + 1] << 8
    return view[at] << 8 | view[at + 1]


def read_u32(data: bytes, at: cython.Py_ssize_t, little: cython.bint) -> cython.longlong:
    """Read four bytes as an unsigned number. Raise IndexError outside `data`."""
    if at < 0 or at > len(data) - 4:
        raise IndexError(at)
    view: cython.p_const_uchar = data  # type: ignore[assignment]  # C sees the bytes
    # The most significant byte is widened first: in a C int, its top bit would become the sign.
    if little:
        high: cython.longlong = view[at + 3]
        return high << 24 | view[at + 2] << 16 | view[at + 1] << 8 | view[at]
    high = view[at]
    return high << 24 | view[at + 1] << 16 | view[at + 2] << 8 | view[at + 3]


COMPILED: bool = not __file__.endswith(".py")
