"""Sets up what a live run keeps: packets in files, and incidents."""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from analyzer.capture.blocks import Interface
from analyzer.cli.display_filter import filter_of, trigger_of
from analyzer.cli.live_rows import row_text
from analyzer.cli.live_run import LiveRun
from analyzer.cli.live_settings import has_trigger, ring_of, seconds_of, triggers_of
from analyzer.cli.output import CommandError
from analyzer.codec.build import build
from analyzer.engine import Engine, Listener
from analyzer.engine.tcp_stream import TcpStream
from analyzer.store.chain_verdicts import Chains
from analyzer.store.flight_recorder import FlightRecorder, IncidentSecrets
from analyzer.store.kept_packets import KeptPackets, Origin
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.cli.live_filter import LiveFilter
    from analyzer.filters.compiled_filter import CompiledFilter


def keepers(options: Namespace, live_run: LiveRun, chains: Chains) -> list[Listener]:
    """Return the listeners that keep packets, as the options ask for. Raises CommandError, also if a file cannot be written."""

    def interfaces() -> Sequence[Interface]:
        return [] if live_run.reader is None else live_run.reader.interfaces

    origin = Origin(interfaces, live_run.source.statistics, build())
    material = live_run.engine.material if options.embed_keys else None
    listeners: list[Listener] = []
    if options.write is not None:
        try:
            kept = KeptPackets(options.write, origin, ring_of(options), material, open_sessions_of(live_run.engine))
        except OSError as error:
            raise CommandError(f"{options.write}: {error.strerror}") from error
        live_run.written = lambda: kept.n_bytes
        live_run.notes.append(kept.notes)
        live_run.reports.append(kept.comment)
        listeners.append(kept)
    if has_trigger(options):
        if not os.path.isdir(options.incidents) or not os.access(options.incidents, os.W_OK):
            raise CommandError(f"{options.incidents}: not a folder that can be written to")
        secrets = None if material is None else IncidentSecrets(material, open_sessions_of(live_run.engine))
        passes = filter_listener(trigger_of(options), live_run, chains)
        if passes is not None:
            listeners.append(passes)
        recorder = FlightRecorder(
            options.incidents, seconds_of(options), triggers_of(options), origin, chains, row_text, secrets, passes
        )
        live_run.notes.append(recorder.notes)
        listeners.append(recorder)
    return listeners


def filter_listener(compiled: "CompiledFilter | None", live_run: LiveRun, chains: Chains) -> "LiveFilter | None":
    """Return what decides which sessions of a run pass a filter, and tells its notes; None without a filter."""
    if compiled is None:
        return None
    from analyzer.cli.live_filter import LiveFilter

    passes = LiveFilter(compiled, live_run.engine, chains)
    live_run.notes.append(passes.notes)
    return passes


def import_filters(options: Namespace) -> None:
    """Read the filters of the options, and load what they need: later, there may be no right to. Raises CommandError."""
    for compiled in (filter_of(options), trigger_of(options)):
        if compiled is not None:
            from analyzer.filters.later_values import load

            load(compiled)


def filter_asks_packets(options: Namespace) -> bool:
    """Return whether -Y asks for what packets have."""
    compiled = filter_of(options)
    if compiled is None:
        return False
    from analyzer.filters.later_values import asks_packets

    return asks_packets(compiled)


def filters_ask_records(options: Namespace) -> bool:
    """Return whether -Y or the filter of the trigger asks for what hangs on records of TLS."""
    fields = {field for one in (filter_of(options), trigger_of(options)) if one is not None for field in one.fields}
    if not fields:
        return False
    from analyzer.filters.event_values import needs_places

    return needs_places(fields)


def outcome_of(passes: "LiveFilter") -> str:
    """Return how many sessions have passed a filter, in one line."""
    ended = count_text(passes.n_ended, "session")
    return f"{passes.n_passed} of {ended} that ended pass the filter {harmless(passes.text)}"


def open_randoms_of(engine: Engine) -> Callable[[], set[bytes]]:
    """Return what returns the client randoms of the sessions that are open, or wait for their secrets."""
    open_sessions = open_sessions_of(engine)

    def open_randoms() -> set[bytes]:
        pending = engine.dispatcher.pending
        found = set() if pending is None else set(pending.named)
        for session in open_sessions(0):
            found.update(message.raw[RANDOM] for message in session.log.messages if message.type == CLIENT_HELLO)
            if session.decryption is not None:  # with ECH, the inner hello has another
                found.update((session.decryption.keys.client_random, *session.decryption.keys.named))
        return found

    return open_randoms


def open_sessions_of(engine: Engine) -> Callable[[int], Iterator[Session]]:
    """Return what yields the sessions over TCP that have begun and not ended, and had a packet in that frame or later."""

    def open_sessions(frame: int) -> Iterator[Session]:
        for endpoint in engine.connections.endpoints.values():
            connection = endpoint.connection
            stream = connection.sink
            if endpoint is connection.originator and connection.last_frame >= frame and isinstance(stream, TcpStream):
                session: Session | None = stream.session  # None until TLS has begun
                if session is not None:
                    yield session

    return open_sessions
