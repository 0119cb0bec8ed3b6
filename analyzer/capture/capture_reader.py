"""Reads several captures in order: opens each file, feeds a packet reader, and keeps the facts of each file."""

import os
import stat
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import cast

from analyzer.capture.blocks import Interface, Section, Statistics
from analyzer.capture.frame import Frame
from analyzer.capture.frame_choice import ChoosingReader, choice_of
from analyzer.capture.frame_places import FramePlaces
from analyzer.capture.key_prescan import LARGEST_COMPRESSED
from analyzer.capture.packet_reader import PacketReader
from analyzer.capture.source import STANDARD_INPUT, Hashing, Source, open_read_only
from analyzer.codec.errors import Anomaly, ParseError


@dataclass(frozen=True, slots=True)
class LinkTypes:
    """How many frames a file has of each link type, in the order of its interfaces; and of each that PKTAP and PPI name."""

    frames: dict[int, int]
    inner: dict[int, int]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The facts of one capture file, after it was read.

    path: as given. size: of the file as stored, in bytes. digests: of those bytes in hex, by name; empty if none was requested,
    or if the file was not read to its end. compression: `gzip`, `zstd`, `lz4`, `xz`, `bzip2`. format: as in `PacketReader`;
    None if the file is not a capture. link_types: see `LinkTypes`. first_time, last_time: the earliest and the latest time of a
    frame, ns since the epoch; None if no frame has a time. first_frame, last_frame: numbers in the run; the last is smaller
    than the first if there is no frame. frames: how many; with custom blocks in pcapng, less than the range of the numbers.
    truncated_frames: how many the snapshot length truncated. error: why reading ended early, None if it did not; its offset
    counts decompressed bytes, but bytes of the stored file if its field names a compression. n_secrets: number of Decryption
    Secrets Blocks; their content is in `CaptureReader.secrets`.
    """

    path: str
    size: int
    digests: dict[str, str]
    compression: str | None
    format: str | None
    link_types: LinkTypes
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

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the file as stored, in hex; None if it is not known."""
        return self.digests.get("sha256")


@dataclass(slots=True)
class CaptureReader:
    """Reads the files `paths` in order. Use it once.

    This is the loop over its frames. Files are read only in the outer loop:

        for packet_reader in reader.packet_readers():
            while packet_reader.advance():
                ...  # reader.frame is the frame; packet_reader.secrets grows as the file is read

    files: facts of the files that were read to their end, or to the damage where reading stopped. secrets: (type, bytes) of
    all Decryption Secrets Blocks in those files. names: address to names, from all those files; if several files name an
    address, the first file counts. stopped: whether `stop` was called. sizes: bytes after which files end, by path, although
    they may grow; files without an entry are read to their end. hashing: which digests are computed, as `Source` takes it.
    places: in which file a frame is that was read. full: whether so many frames were read as the paths say (`ChosenCaptures`).
    """

    paths: Sequence[str]
    hashing: Hashing = False
    frame: Frame = field(default_factory=Frame)
    files: list[FileFacts] = field(default_factory=list)
    secrets: list[tuple[int, bytes]] = field(default_factory=list, repr=False)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    n_bytes_read: int = 0
    n_interfaces: int = 0
    source: Source | None = None
    stopped: bool = False
    sizes: dict[str, int] = field(default_factory=dict)
    places: FramePlaces = field(default_factory=FramePlaces)
    full: bool = False

    def check(self) -> int | None:
        """Return the sum of the file sizes, None with a pipe. Raise OSError for the first path that cannot be opened."""
        total: int | None = 0
        for path in self.paths:
            if path == STANDARD_INPUT:
                total = None
                continue
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                raise IsADirectoryError(21, os.strerror(21), path)
            # To open a named pipe would start its writer, and to close it again would kill the writer.
            if stat.S_ISREG(status.st_mode):
                os.close(open_read_only(path)[0])
                total = None if total is None else total + status.st_size
            else:
                total = None
        return total

    def n_bytes(self) -> int:
        """Return the bytes read from all files so far, as stored. The total is what `check` returned."""
        return self.n_bytes_read + (0 if self.source is None else self.source.n_bytes)

    def errors(self) -> list[FileFacts]:
        """Return the facts of the files that are damaged or truncated, or are not captures."""
        return [facts for facts in self.files if facts.error is not None]

    def stop(self) -> None:
        """End the captures here: what was read is all there is. A signal may call this at any time."""
        self.stopped = True
        if self.source is not None:
            self.source.stopped = True

    def may_have_more_secrets(self, packet_reader: PacketReader) -> bool:
        """Return whether the current capture may have secrets that were not read yet, and that `prescan_keys` did not find."""
        source = self.source
        if source is None or packet_reader.format != "pcapng":
            return False
        # Nobody looks ahead in what comes through standard input, even where it is a file.
        unseen = source.total is None or source.path == STANDARD_INPUT
        return unseen or (source.compression is not None and (source.total or 0) > LARGEST_COMPRESSED)

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        """Yield the packet reader of the current file, each time that it has more bytes. Advance it until it returns False.

        In a pipe in which nothing comes, it is yielded without more bytes several times per second.
        Damage ends the reading of one file and is kept in its facts. The next file is read then. An OSError is raised.
        """
        self.places.several = len(self.paths) > 1
        choice = choice_of(self.paths)
        for path in self.paths:
            if self.stopped or self.full:
                return
            first_frame = self.frame.number + 1
            self.places.begin(path, first_frame)
            packet_reader = PacketReader(self.frame, self.n_interfaces, True)
            chosen = ChoosingReader(packet_reader, choice) if choice is not None else None
            shown = packet_reader if chosen is None else cast("PacketReader", chosen)  # it has all that one has
            with Source(path, self.hashing, self.sizes.get(path)) as source:
                self.source = source
                source.stopped = self.stopped
                error: ParseError | None = None
                try:
                    for chunk in source.chunks():
                        if chunk:
                            packet_reader.feed(chunk)
                        yield shown
                        self.full = chosen is not None and chosen.full
                        if packet_reader.error is not None or self.full:
                            break
                    else:
                        if not source.stopped:
                            packet_reader.close()
                except ParseError as raised:
                    error = raised
                if self.hashing and not source.stopped:
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
        digests=source.digests,
        compression=source.compression,
        format=packet_reader.format,
        link_types=_link_types(packet_reader),
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


def _link_types(packet_reader: PacketReader) -> LinkTypes:
    inner: dict[int, int] = {}
    for link in packet_reader.links.values():
        for number, n_frames in link.inner.items():
            inner[number] = inner.get(number, 0) + n_frames
    return LinkTypes({number: link.frames for number, link in packet_reader.links.items()}, inner)
