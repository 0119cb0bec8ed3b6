"""Copies a capture as pcapng, with secrets before its packets.

The secrets that decrypt its sessions are in the file, as a Decryption Secrets Block (draft-ietf-opsawg-pcapng section 4.7). So
any reader of pcapng decrypts the sessions without further options. Frames are not changed: they keep time, interface and
comments. Secrets that the capture contained are left out, because only the chosen ones should be in the copy.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO

from analyzer.capture.capture_writer import PcapngWriter
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine.eap_links import hardware_addresses
from analyzer.engine.eap_sessions import PORT_CONTROL
from analyzer.packet.addresses import HARDWARE
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.store.session_secrets import Span

Wanted = Callable[[Frame], bool]


class KeyedCapture:
    """Copies frames. Call `run` with each packet reader of a capture; `run` advances it. frames: how many were written."""

    def __init__(self, file: BinaryIO, secrets: Iterable[bytes], wanted: Wanted | None = None) -> None:
        """secrets: key logs; each becomes a block. wanted: returns whether a frame is copied; None for all frames."""
        self.frames = 0
        self._file = file
        self._secrets = secrets
        self._wanted = wanted
        self._writer: PcapngWriter | None = None
        self._n_interfaces = 0
        self._n_comments = 0
        self._comments: Sequence[tuple[int, str]] = ()

    def run(self, packet_reader: PacketReader) -> None:
        """Copy all frames for which the packet reader has the bytes."""
        frame, comments = packet_reader.frame, packet_reader.comments
        if comments is not self._comments:  # another file
            self._comments, self._n_comments = comments, 0
        while packet_reader.advance():
            writer = self._begin(packet_reader) if self._writer is None else self._writer
            comment = ""
            if self._n_comments < len(comments):
                comment = self._comment(comments, frame.number)
            if self._wanted is not None and not self._wanted(frame):
                continue
            if self._n_interfaces <= frame.interface:
                self._describe(writer, packet_reader, frame)
            data = frame.data[frame.start : frame.end]
            writer.write_frame(max(0, frame.at), data, frame.wire_length, frame.interface, comment)
            self.frames += 1

    def close(self, packet_reader: PacketReader | None) -> None:
        """End the copy. packet_reader: the last one."""
        if self._writer is None:
            self._begin(packet_reader)

    def _begin(self, packet_reader: PacketReader | None) -> PcapngWriter:
        section = packet_reader.sections[0] if packet_reader is not None and packet_reader.sections else None
        texts = ("", "", "") if section is None else (section.hardware or "", section.os or "", section.application or "")
        comment = self._comment(packet_reader.comments, 0) if packet_reader is not None else ""
        self._writer = PcapngWriter(self._file, comment=comment, hardware=texts[0], os=texts[1], application=texts[2])
        for block in self._secrets:
            self._writer.write_secrets(block)
        return self._writer

    def _comment(self, comments: Sequence[tuple[int, str]], number: int) -> str:
        """Return the comments of frame `number`, or of the file for 0, as one text. Comments of earlier frames are skipped."""
        found = []
        while self._n_comments < len(comments) and comments[self._n_comments][0] <= number:
            if comments[self._n_comments][0] == number:
                found.append(comments[self._n_comments][1])
            self._n_comments += 1
        return "\n".join(found)

    def _describe(self, writer: PcapngWriter, packet_reader: PacketReader, frame: Frame) -> None:
        """Describe the interfaces up to that of the frame, so that they keep their numbers, which go on from file to file."""
        known_ones = {one.number: one for one in packet_reader.interfaces}
        while self._n_interfaces <= frame.interface:
            known = known_ones.get(self._n_interfaces)
            if known is None:  # of a file before, without a frame that is copied; or more interfaces than are kept of a file
                writer.write_interface(frame.link_type)
            else:
                writer.write_interface(known.link_type, known.snap_length, known.name or "", known.description or "")
            self._n_interfaces += 1


class ConnectionFilter:
    """Selects the packets of certain connections.

    Only the first fragment of a datagram has ports. So all fragments between the two hosts of such a connection are selected.
    """

    def __init__(self, spans: Mapping[bytes, Sequence[Span]]) -> None:
        """spans: as in `SessionSecrets`."""
        self._spans = spans
        self._hosts = frozenset(key[:-4] for key in spans)
        self._ports = [key for key in spans if len(key) == 2 * HARDWARE + 4]
        self._packet = Packet()

    def __call__(self, frame: Frame) -> bool:
        """Return whether the frame belongs to one of the connections."""
        packet = self._packet
        read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
        if packet.fragment:
            first, length = (packet.ip + 12, 8) if packet.ip_version == 4 else (packet.ip + 8, 32)
            return packet.data[first : first + length] in self._hosts
        if self._ports and packet.ether_type in PORT_CONTROL:
            return self._is_on_port(packet, frame)
        return any(first <= frame.number <= last for first, last in self._spans.get(packet.key(), ()))

    def _is_on_port(self, packet: Packet, frame: Frame) -> bool:
        """Return whether one of the conversations of EAP has a frame of 802.1X: either end of it sent the frame."""
        ends = hardware_addresses(packet, frame.link_type)
        return ends is not None and any(
            first <= frame.number <= last and ends[0] in (key[:HARDWARE], key[HARDWARE : 2 * HARDWARE])
            for key in self._ports
            for first, last in self._spans[key]
        )
