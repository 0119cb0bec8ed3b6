"""Keeps what a capture file says about itself, up to a limit for each kind.

These blocks are untrusted input, and a file can contain very many of them. So each kind has a limit. What exceeds the limit is
left out. If it is content (comments, secrets), this is noted as an anomaly. The frames can be read without any of it.
"""

from collections.abc import Sequence

from analyzer.capture.blocks import (
    ByteOrder,
    Clock,
    Interface,
    Section,
    Statistics,
    read_interface,
    read_names,
    read_secrets,
    read_section,
    read_statistics,
)
from analyzer.capture.channel import Channel
from analyzer.capture.processes.process_blocks import FrameProcesses
from analyzer.codec.errors import Anomaly, Malformed

# Of each kind: more than anybody reads, in little memory.
MAX_FACTS = 65_536
MAX_COMMENT_BYTES = 16 << 20
MAX_NAME_BYTES = 16 << 20
# A key log has 200 bytes per session, about 800 in TLS 1.3: enough for 80,000 sessions with one block each.
MAX_SECRET_BYTES = 64 << 20
SECRET_COST = 128
# Names of one address. The search for duplicates takes quadratic time.
MAX_NAMES = 100
MAX_ANOMALIES = 100

_NAMES, _SECRETS, _DARWIN_PROCESS = 4, 10, 0x80000001
"""Types of blocks."""


class Facts:
    """The facts of one file, in the order of the file. The lists and dicts stay the same objects while they grow.

    comments: (frame number, text); the number is 0 for a comment of a section or an interface. secrets: (type, bytes).
    names: address to names. statistics: interface number to its last counters. processes: which frames belong to them.
    anomalies: what could not be read, or was left out.
    """

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.interfaces: list[Interface] = []
        self.comments: list[tuple[int, str]] = []
        self.secrets: list[tuple[int, bytes]] = []
        self.names: dict[str, tuple[str, ...]] = {}
        self.statistics: dict[int, Statistics] = {}
        self.processes = FrameProcesses()
        self.anomalies: list[Anomaly] = []
        self._n_sections = 0
        self._comment_bytes = 0
        self._name_bytes = 0
        self._secret_bytes = 0

    def read_section(self, body: bytes, order: ByteOrder, offset: int) -> None:
        """Read a Section Header Block, without its type and lengths.

        offset: of the block in the file. Raise Malformed if it is too short or its version is unknown.
        """
        if len(body) < 16:
            raise Malformed("Section Header Block", offset, f"{len(body)} bytes are too few for its fixed fields")
        section, comments, anomaly = read_section(body, order, offset)
        if section.version[0] != 1:
            raise Malformed("Section Header Block.version", offset + 12, f"{section.version[0]} is no known version")
        if self._n_sections == 1:
            self.note_anomaly(Anomaly("Section Header Block", offset, "a second section begins here: two files were joined"))
        self._n_sections += 1
        if len(self.sections) < MAX_FACTS:
            self.sections.append(section)
        self._note_block(comments, anomaly, offset)

    def read_interface(self, body: bytes, order: ByteOrder, offset: int, number: int) -> tuple[Interface, Clock]:
        """Read an Interface Description Block; the interface gets the number `number`. Raise Malformed if it is too short."""
        if len(body) < 8:
            raise Malformed("Interface Description Block", offset, f"{len(body)} bytes are too few for its fixed fields")
        interface, clock, comments, anomaly = read_interface(body, order, offset, number, self._n_sections - 1)
        if len(self.interfaces) < MAX_FACTS:
            self.interfaces.append(interface)
        self._note_block(comments, anomaly, offset)
        return interface, clock

    def read_names(self, body: bytes, order: ByteOrder, offset: int) -> None:
        """Read a Name Resolution Block."""
        names, anomaly = read_names(body, order, offset)
        for address, found in names:
            self._name_bytes += sum(map(len, found))
            if len(self.names) < MAX_FACTS and self._name_bytes <= MAX_NAME_BYTES:
                known = self.names.get(address, ())
                self.names[address] = (known + tuple(name for name in found[:MAX_NAMES] if name not in known))[:MAX_NAMES]
        self._note_block([], anomaly, offset)

    def read_statistics(self, body: bytes, order: ByteOrder, offset: int, channels: Sequence[Channel]) -> None:
        """Read an Interface Statistics Block. channels: the interfaces of its section."""
        if len(body) < 12:
            self.note_anomaly(
                Anomaly("Interface Statistics Block", offset, f"{len(body) + 12} bytes are too few for its fixed fields")
            )
            return
        index = int.from_bytes(body[:4], order)
        if index >= len(channels):
            self.note_anomaly(Anomaly("Interface Statistics Block.interface", offset + 8, f"{index} was not described"))
            return
        number = channels[index].number
        statistics, anomaly = read_statistics(body, order, offset, number, channels[index].clock)
        if number in self.statistics or len(self.statistics) < MAX_FACTS:
            self.statistics[number] = statistics
        self._note_block([], anomaly, offset)

    def read_secrets(self, body: bytes, order: ByteOrder, offset: int) -> None:
        """Read a Decryption Secrets Block."""
        secret, anomaly = read_secrets(body, order, offset)
        if secret is not None:
            self._secret_bytes += len(secret[1]) + SECRET_COST
            if self._secret_bytes <= MAX_SECRET_BYTES:
                self.secrets.append(secret)
            else:
                anomaly = Anomaly(
                    "Decryption Secrets Block", offset, f"left out: more than {MAX_SECRET_BYTES} bytes of secrets"
                )
        self._note_block([], anomaly, offset)

    def read_other(self, kind: int, body: bytes, order: ByteOrder, offset: int) -> None:
        """Read a block of names, of secrets, or of a process: Apple's, or a Custom Block, which may be something else too."""
        if kind == _NAMES:
            self.read_names(body, order, offset)
        elif kind == _SECRETS:
            self.read_secrets(body, order, offset)
        else:
            read = self.processes.read_darwin_block if kind == _DARWIN_PROCESS else self.processes.read_custom_block
            self._note_block([], read(body, order, offset), offset)

    def note_comment(self, number: int, comment: bytes, offset: int) -> None:
        """Keep a comment of frame `number`, from the block at `offset`. Bytes that are not UTF-8 become U+FFFD."""
        self._comment_bytes += len(comment)
        if len(self.comments) < MAX_FACTS and self._comment_bytes <= MAX_COMMENT_BYTES:
            self.comments.append((number, comment.rstrip(b"\0").decode("utf-8", "replace")))
        else:
            self.note_anomaly(Anomaly("comment", offset, f"left out: more than {MAX_FACTS}, or than {MAX_COMMENT_BYTES} bytes"))

    def note_anomaly(self, anomaly: Anomaly) -> None:
        """Keep an anomaly: something that could not be read, and that is not needed to continue."""
        if len(self.anomalies) < MAX_ANOMALIES:
            self.anomalies.append(anomaly)

    def _note_block(self, comments: list[bytes], anomaly: Anomaly | None, offset: int) -> None:
        for comment in comments:
            self.note_comment(0, comment, offset)
        if anomaly is not None:
            self.note_anomaly(anomaly)
