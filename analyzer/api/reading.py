"""The functions of the package: sessions, packets and events of captures, for a `for` loop.

Each returns a `Reading`. A loop over it opens the captures, reads them once, and closes them, also if it is left early. Memory
grows with the connections that are open at one moment, and not with the captures.
"""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Generic, TypeVar
from weakref import WeakSet

from analyzer.api.event_objects import Event, typed
from analyzer.api.faults import CaptureFault, CaptureWarning, KeyLogFault, ReadOnce
from analyzer.api.inputs import Captures, Inputs, Path, Paths, again, chains_of
from analyzer.api.packet_object import Packet
from analyzer.api.session_object import ChainsAtTheEnd, Session
from analyzer.engine import Engine
from analyzer.engine.run import turns
from analyzer.store.http_messages import HttpMessages
from analyzer.store.packet_info import Describer, packet_record
from analyzer.store.validation_time import CAPTURE
from analyzer.tls.dtls.dtls_events import PartSeen
from analyzer.tls.dtls.opened_record import RecordOpened
from analyzer.tls.events import SessionEnded
from analyzer.tls.quic.quic_events import PacketSeen

Item = TypeVar("Item", covariant=True)


class Reading(Generic[Item]):
    """What can be read of captures, for a `for` loop. Every loop reads the files again, from the beginning.

    A pipe and standard input can be read only once: the second loop raises `ReadOnce`. When a loop ends or is left, all files
    are closed. `with` closes them too, at its end, for iterators that are kept.
    """

    def __init__(self, inputs: Inputs, items: Callable[[Captures], Iterator[Item]]) -> None:
        """items: reads captures, and yields what a loop gets."""
        self._inputs = inputs
        self._items = items
        self._captures: Captures | None = None
        self._running: WeakSet[Generator[Item, None, None]] = WeakSet()

    @property
    def errors(self) -> tuple[CaptureFault, ...]:
        """Where damaged captures ended, and which files are no captures, of the loop that began last: `api.CaptureFault`.

        Each has path, offset, field, why, cut_short, last_frame and no_capture. Empty if nothing is damaged, or the damage was
        not reached. A loop that comes to its end warns of each of them too
        (`CaptureWarning`); `warnings.simplefilter("error", analyzer.CaptureWarning)` turns that into an exception.
        """
        return () if self._captures is None else self._captures.faults()

    @property
    def keylog_errors(self) -> tuple[KeyLogFault, ...]:
        """The lines of key logs that could not be used, of the loop that began last: (path, line, why). It warned of them."""
        return () if self._captures is None else self._captures.keylog_faults

    def __iter__(self) -> Iterator[Item]:
        """Begin to read. Raises ReadOnce for a pipe that was read before, OSError; while reading NotACapture, OSError."""
        once = None if self._captures is None else self._inputs.read_once()
        if once is not None:
            raise ReadOnce(once)
        captures = Captures(self._inputs)
        self._captures = captures
        faults = captures.keylog_faults
        if faults:
            more = f", and {len(faults) - 1} further lines of key logs" if len(faults) > 1 else ""
            warnings.warn(f"{faults[0]}{more}", CaptureWarning, stacklevel=2)
        items = self._read(captures)
        self._running.add(items)
        return items

    def _read(self, captures: Captures) -> Generator[Item, None, None]:
        yield from self._items(captures)
        for fault in captures.faults():
            warnings.warn(str(fault), CaptureWarning, stacklevel=2)

    def close(self) -> None:
        """End all loops, and close their files. A later loop reads the files again."""
        for items in list(self._running):
            items.close()

    def __enter__(self) -> "Reading[Item]":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Reading of {', '.join(map(repr, self._inputs.captures))}>"


def sessions(
    captures: Paths,
    *,
    keylog: Paths = (),
    rsa_keys: Paths = (),
    psk_file: Paths = (),
    password: str | bytes | Iterable[str | bytes] = (),
    trust: Paths = (),
    intermediates: Paths = (),
    crl: Paths = (),
    ct_logs: Path | None = None,
    at: str | datetime = CAPTURE,
    strict: bool = False,
    messages: bool = False,
) -> Reading[Session]:
    """Read the TLS sessions of captures, each when it ends: what `analyzer sessions --format json` prints.

        for session in analyzer.sessions("trace.pcapng", keylog="keys.log"):
            print(session.server_name, session.version, session.chain.verdict)

    captures: one path or several, of files or of folders with captures, `-` for standard input; pcap or pcapng, plain or
    compressed; several are read as one, in the order of their times. keylog: key logs (`SSLKEYLOGFILE`), read when a loop
    begins. rsa_keys: RSA private keys, PEM, DER or PKCS#12; password: those that may open them. psk_file: external pre-shared
    keys. trust: `mozilla` (the default), `system`, or files with roots; intermediates: files with certificates that may
    complete a chain; crl: files with revocation lists; ct_logs: a log_list.json instead of the logs in the package. at: the
    time for which chains are validated: `capture` for each session's start, `now`, RFC 3339 text, or a datetime with a time
    zone. strict: whether rules that verifiers do not enforce (the problem `non_conforming`) make a chain invalid too.
    messages: whether handshake messages keep their decoded fields.

    Raises at once FileNotFoundError and other OSErrors, `UnusableFile` for a bad file of keys or certificates, TypeError and
    ValueError for what is no path, ValueError for a bad moment; at the end of a loop `NotACapture`, if none of the files is a
    capture. Of a damaged capture everything readable is given; the next file is read after it, and after a file that is no
    capture. `Reading.errors` has both.
    """
    inputs = Inputs(captures, keylog, rsa_keys, psk_file, password)
    options = chains_of(trust, intermediates, crl, ct_logs, at, strict)

    def read(source: Captures) -> Iterator[Session]:
        chains = again(options)
        engine = Engine(fields=messages, watches_revocation=True, **source.keys())
        engine.dispatcher.frames.places = source.places
        for turn in turns(source, engine):
            chains.take(turn)
            for event in turn:
                if isinstance(event, SessionEnded):
                    yield Session(event.ended, messages, ChainsAtTheEnd(chains, event.ended))

    return Reading(inputs, read)


def packets(
    captures: Paths,
    *,
    keylog: Paths = (),
    rsa_keys: Paths = (),
    psk_file: Paths = (),
    password: str | bytes | Iterable[str | bytes] = (),
) -> Reading[Packet]:
    """Read the packet list of captures, frame by frame: what `analyzer packets --format json` prints.

        for packet in analyzer.packets("trace.pcapng"):
            print(packet.number, packet.source, packet.destination, packet.protocol, packet.info)

    The parameters and exceptions are those of `sessions`. A packet is described while it is read, so here nothing is lazy.
    """
    inputs = Inputs(captures, keylog, rsa_keys, psk_file, password)

    def read(source: Captures) -> Iterator[Packet]:
        engine = Engine(detailed=True, places=False, reads_data=False, in_order=False, **source.keys(patient=False))
        plaintext = HttpMessages()
        describer = Describer(engine, plaintext)
        for packet_reader in source.packet_readers():
            frame = packet_reader.frame
            while engine.step(packet_reader):
                events = engine.take()
                if events:
                    plaintext.take(events)
                yield Packet(packet_record(frame, *describer.describe(frame, events), source.places))
                plaintext.clear()

    return Reading(inputs, read)


def events(
    captures: Paths,
    *,
    keylog: Paths = (),
    rsa_keys: Paths = (),
    psk_file: Paths = (),
    password: str | bytes | Iterable[str | bytes] = (),
    trust: Paths = (),
    intermediates: Paths = (),
    crl: Paths = (),
    ct_logs: Path | None = None,
    at: str | datetime = CAPTURE,
    strict: bool = False,
) -> Reading[Event]:
    """Read what happens in the sessions of captures, in its order: messages, alerts, decrypted data, gaps, ends of sessions.

        for event in analyzer.events("trace.pcapng", keylog="keys.log"):
            if isinstance(event, analyzer.Data):
                print(event.session, event.sender, event.data)

    The parameters and exceptions are those of `sessions`; decoded fields are always there, and made when they are read.
    `analyzer.api` has the classes of events. Packets of QUIC are not among them, only what they carry.
    """
    inputs = Inputs(captures, keylog, rsa_keys, psk_file, password)
    options = chains_of(trust, intermediates, crl, ct_logs, at, strict)

    def read(source: Captures) -> Iterator[Event]:
        chains = again(options)
        engine = Engine(detailed=True, watches_revocation=True, **source.keys())
        engine.dispatcher.frames.places = source.places
        for turn in turns(source, engine):
            chains.take(turn)
            for event in turn:
                if not isinstance(event, PacketSeen | PartSeen | RecordOpened):
                    yield typed(event, True, chains)

    return Reading(inputs, read)
