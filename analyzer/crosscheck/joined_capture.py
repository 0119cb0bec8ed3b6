"""Makes one capture of several, because tshark reads one: it has the frames of all in our order, so both number them alike.

Sessions go on across the captures in it, as they do for us. The secrets of all (Decryption Secrets Blocks) stand before the
first frame. The file has no name, and is gone when this process is, however that ends (open(2), O_TMPFILE).
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

from analyzer.capture.blocks import TLS_KEY_LOG
from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame_choice import choice_of
from analyzer.store.capture_with_secrets import KeyedCapture


@contextmanager
def one_capture(paths: Sequence[str]) -> Iterator[str]:
    """Give the path of one capture that has the frames of all that are read, for processes that this one starts.

    Raises OSError.
    """
    if len(paths) < 2 and choice_of(paths) is None:
        yield paths[0]
        return
    with tempfile.TemporaryFile() as joined:
        _join(paths, cast("BinaryIO", joined))
        joined.flush()
        yield f"/proc/{os.getpid()}/fd/{joined.fileno()}"


def _join(paths: Sequence[str], file: BinaryIO) -> None:
    first = CaptureReader(paths)
    for packet_reader in first.packet_readers():
        while packet_reader.advance():
            pass
    copy, last = KeyedCapture(file, [data for kind, data in first.secrets if kind == TLS_KEY_LOG]), None
    for packet_reader in CaptureReader(paths).packet_readers():
        copy.run(packet_reader)
        last = packet_reader
    copy.close(last)
