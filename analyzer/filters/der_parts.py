"""Walks the elements of a structure in DER (X.690), as far as they can be read: what is damaged ends the walk."""

from collections.abc import Iterator

from analyzer.codec.errors import Malformed
from analyzer.x509.der import read_element

Part = tuple[int, bytes]
"""The tag of an element, and its content."""


def parts(content: bytes) -> Iterator[Part]:
    """Yield the elements in the content of a structure, up to one that cannot be read."""
    pos = 0
    while pos < len(content):
        try:
            tag, start, end, after = read_element(content, pos, len(content), "")
        except Malformed:
            return
        yield tag, content[start:end]
        pos = after
