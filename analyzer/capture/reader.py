"""Several captures as one walk: opens them in order, feeds a walker, and keeps what is to be known of each file."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.capture.blocks import Interface, Section, Statistics
from analyzer.capture.frame import Frame
from analyzer.capture.source import STANDARD_INPUT, Source
from analyzer.capture.walker import Walker
from analyzer.codec.trouble import Odd, Trouble


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One capture file, after it was read.

    path: as given. size, sha256: of the file as stored; sha256 only when asked for. compression: `gzip`, `zstd`, `lz4`, `xz`.
    format: as in `Walker`; None says that the file is no capture. link_types: in the order of their interfaces, each once.
    first_time, last_time: the earliest and the latest time of a frame, ns since the epoch; None where no frame has one.
    first_frame, last_frame: numbers in the run; the last is smaller than the first where there is none. frames: how many, which
    is less than their numbers span where pcapng has custom blocks; cut_frames: those that the snapshot length cut.
    trouble: why reading ended early, None if it did not; its offset counts decompressed bytes, except where its field names
    a compression. n_secrets: Decryption Secrets Blocks, whose content is in `CaptureReader.secrets`.
    """

    path: str
    size: int
    sha256: str | None
    compression: str | None
    format: str | None
    link_types: tuple[int, ...]
    first_time: int | None
    last_time: int | None
    first_frame: int
    last_frame: int
    frames: int
    cut_frames: int
    trouble: Trouble | None
    sections: tuple[Section, ...]
    interfaces: tuple[Interface, ...]
    comments: tuple[tuple[int, str], ...]
    names: dict[str, tuple[str, ...]]
    statistics: tuple[Statistics, ...]
    oddities: tuple[Odd, ...]
    n_secrets: int


@dataclass(slots=True)
class CaptureReader:
    """Reads `paths` in order; use it once.

    The loop over its frames, with all file reading between two steps of the inner one:

        for walker in reader.walkers():
            while walker.advance():
                ...  # reader.frame is the frame, walker.secrets grows as the file is read

    files: facts of the files read to their end, or to the damage where reading ended. secrets: (type, bytes) of all Decryption
    Secrets Blocks of those files. names: address to names, of all those files; the first file to name an address names it.
    """

    paths: Sequence[str]
    hashing: bool = False
    frame: Frame = field(default_factory=Frame)
    files: list[FileFacts] = field(default_factory=list)
    secrets: list[tuple[int, bytes]] = field(default_factory=list, repr=False)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    n_bytes_read: int = 0
    n_interfaces: int = 0
    source: Source | None = None

    def check(self) -> int | None:
        """Raise OSError for the first path that cannot be opened, before any is read; the sum of sizes, None with a pipe."""
        total: int | None = 0
        for path in self.paths:
            if path == STANDARD_INPUT:
                total = None
                continue
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(21, os.strerror(21), path)
            # Opening a named pipe would wake its writer, and closing it again kill it.
            if stat.S_ISREG(status.st_mode):
                os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                total = None if total is None else total + status.st_size
            else:
                total = None
        return total

    def n_bytes(self) -> int:
        """Bytes read of all files so far, as stored: progress towards what `check` returned."""
        return self.n_bytes_read + (0 if self.source is None else self.source.n_bytes)

    def troubles(self) -> list[FileFacts]:
        """The files that are damaged, cut short, or no captures."""
        return [facts for facts in self.files if facts.trouble is not None]

    def walkers(self) -> Iterator[Walker]:
        """The walker of the file at hand, again each time that it has more bytes; advance it until it says False.

        Damage ends one file and is kept in its facts; the next file goes on. An OSError passes through.
        """
        for path in self.paths:
            first_frame = self.frame.number + 1
            walker = Walker(self.frame, self.n_interfaces, True)
            with Source(path, self.hashing) as source:
                self.source = source
                trouble: Trouble | None = None
                try:
                    for chunk in source.chunks():
                        walker.feed(chunk)
                        yield walker
                        if walker.trouble is not None:
                            break
                    else:
                        walker.close()
                except Trouble as raised:
                    trouble = raised
                if self.hashing:
                    source.drain()
                self.source = None
            self.n_bytes_read += source.n_bytes
            self.n_interfaces += walker.n_interfaces
            self.secrets.extend(walker.secrets)
            for address, names in walker.names.items():
                self.names.setdefault(address, names)
            self.files.append(_facts(source, walker, first_frame, walker.trouble or trouble))


def _facts(source: Source, walker: Walker, first_frame: int, trouble: Trouble | None) -> FileFacts:
    return FileFacts(
        path=source.path,
        size=source.size,
        sha256=source.sha256,
        compression=source.compression,
        format=walker.format,
        link_types=tuple(dict.fromkeys(interface.link_type for interface in walker.interfaces)),
        first_time=None if walker.earliest < 0 else walker.earliest,
        last_time=None if walker.latest < 0 else walker.latest,
        first_frame=first_frame,
        last_frame=walker.frame.number,
        frames=walker.frames,
        cut_frames=walker.cut_frames,
        trouble=trouble,
        sections=tuple(walker.sections),
        interfaces=tuple(walker.interfaces),
        comments=tuple(walker.comments),
        names=dict(walker.names),
        statistics=tuple(walker.statistics.values()),
        oddities=tuple(walker.oddities),
        n_secrets=len(walker.secrets),
    )
