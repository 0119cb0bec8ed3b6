"""Several captures as one walk: opens them in order, feeds a packet reader, and keeps what is to be known of each file."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.capture.blocks import Interface, Section, Statistics
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.capture.source import STANDARD_INPUT, Source
from analyzer.codec.errors import Anomaly, ParseError


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One capture file, after it was read.

    path: as given. size, sha256: of the file as stored; sha256 only when asked for. compression: `gzip`, `zstd`, `lz4`, `xz`.
    format: as in `PacketReader`; None says that the file is no capture. link_types: in the order of their interfaces, each
    once. first_time, last_time: the earliest and the latest time of a frame, ns since the epoch; None where no frame has one.
    first_frame, last_frame: numbers in the run; the last is smaller than the first where there is none. frames: how many,
    which is less than their numbers span where pcapng has custom blocks; truncated_frames: those that the snapshot length
    cut. error: why reading ended early, None if it did not; its offset counts decompressed bytes, except where its field
    names a compression. n_secrets: Decryption Secrets Blocks, whose content is in `CaptureReader.secrets`.
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
    truncated_frames: int
    error: ParseError | None
    sections: tuple[Section, ...]
    interfaces: tuple[Interface, ...]
    comments: tuple[tuple[int, str], ...]
    names: dict[str, tuple[str, ...]]
    statistics: tuple[Statistics, ...]
    anomalies: tuple[Anomaly, ...]
    n_secrets: int


@dataclass(slots=True)
class CaptureReader:
    """Reads `paths` in order; use it once.

    The loop over its frames, with all file reading between two steps of the inner one:

        for packet reader in reader.packet readers():
            while packet reader.advance():
                ...  # reader.frame is the frame, packet reader.secrets grows as the file is read

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

    def errors(self) -> list[FileFacts]:
        """The files that are damaged, cut short, or no captures."""
        return [facts for facts in self.files if facts.error is not None]

    def packet_readers(self) -> Iterator[PacketReader]:
        """The packet reader of the file at hand, again each time that it has more bytes; advance it until it says False.

        Damage ends one file and is kept in its facts; the next file goes on. An OSError passes through.
        """
        for path in self.paths:
            first_frame = self.frame.number + 1
            packet_reader = PacketReader(self.frame, self.n_interfaces, True)
            with Source(path, self.hashing) as source:
                self.source = source
                error: ParseError | None = None
                try:
                    for chunk in source.chunks():
                        packet_reader.feed(chunk)
                        yield packet_reader
                        if packet_reader.error is not None:
                            break
                    else:
                        packet_reader.close()
                except ParseError as raised:
                    error = raised
                if self.hashing:
                    source.drain()
                self.source = None
            self.n_bytes_read += source.n_bytes
            self.n_interfaces += packet_reader.n_interfaces
            self.secrets.extend(packet_reader.secrets)
            for address, names in packet_reader.names.items():
                self.names.setdefault(address, names)
            self.files.append(_facts(source, packet_reader, first_frame, packet_reader.error or error))


def _facts(source: Source, packet_reader: PacketReader, first_frame: int, error: ParseError | None) -> FileFacts:
    return FileFacts(
        path=source.path,
        size=source.size,
        sha256=source.sha256,
        compression=source.compression,
        format=packet_reader.format,
        link_types=tuple(dict.fromkeys(interface.link_type for interface in packet_reader.interfaces)),
        first_time=None if packet_reader.earliest < 0 else packet_reader.earliest,
        last_time=None if packet_reader.latest < 0 else packet_reader.latest,
        first_frame=first_frame,
        last_frame=packet_reader.frame.number,
        frames=packet_reader.frames,
        truncated_frames=packet_reader.truncated_frames,
        error=error,
        sections=tuple(packet_reader.sections),
        interfaces=tuple(packet_reader.interfaces),
        comments=tuple(packet_reader.comments),
        names=dict(packet_reader.names),
        statistics=tuple(packet_reader.statistics.values()),
        anomalies=tuple(packet_reader.anomalies),
        n_secrets=len(packet_reader.secrets),
    )
