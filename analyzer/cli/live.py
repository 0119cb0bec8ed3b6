"""`analyzer live`: analyses packets while they arrive, from interfaces or a pipe.

The interfaces are opened first, and then all rights that this needed are given up, before the first byte of a packet, a key log
or a certificate is read. After that it is a run like that over files, with the same events and records. The first SIGINT or
SIGTERM ends the capture; the results come, and a summary, which goes to standard error because standard output has the results.
"""

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stderr
from typing import TYPE_CHECKING

from analyzer.capture.live import privileges
from analyzer.capture.live.live_capture import CaptureError, LiveCapture, LiveOptions, new_groups
from analyzer.capture.live.pipe_capture import PipeCapture
from analyzer.cli.display_filter import filter_of
from analyzer.cli.exit_status import DAMAGED, DONE, FAILED
from analyzer.cli.interruption import Interruption, exceptions
from analyzer.cli.later_imports import import_later_ones, unreadable
from analyzer.cli.live_command import LiveCommand, OwnSessions
from analyzer.cli.live_events import EventLines
from analyzer.cli.live_failures import FailureListener
from analyzer.cli.live_keeping import (
    filter_asks_packets,
    filter_listener,
    filters_ask_records,
    import_filters,
    keepers,
    open_randoms_of,
    outcome_of,
)
from analyzer.cli.live_keys import LiveKeys
from analyzer.cli.live_processes import LiveProcesses
from analyzer.cli.live_rows import LiveRows
from analyzer.cli.live_run import LiveRun, LiveSource
from analyzer.cli.live_settings import check_live, has_trigger, is_pipe, limits_of, names, ring_of, seconds_of, triggers_of
from analyzer.cli.live_summary import print_live_summary
from analyzer.cli.live_workers import READY, Counts, Share, run_workers
from analyzer.cli.output import STANDARD_STREAM, CommandError, ErrorOutput, Output, complain
from analyzer.cli.sessions import JsonLines
from analyzer.cli.summary import LiveSummary
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine, Listener
from analyzer.engine import run as run_engine
from analyzer.store.chain_verdicts import Chains
from analyzer.text.file_findings import error_line
from analyzer.x509.trust import MOZILLA

if TYPE_CHECKING:
    from analyzer.cli.live_filter import LiveFilter

_BLOCK_TIMEOUT = 60
"""Milliseconds until packets of a slow link come. Each time takes a block of the ring, so its 128 blocks last for seven seconds
in which this process gets no processor time."""

_STANDARD_ERROR = 2


def run(options: Namespace, output: Output) -> int:
    """Capture until the end that the options name, a signal, or the end of the pipe or command. Return the exit status."""
    check_live(options)
    ring_of(options), seconds_of(options), limits_of(options)  # what is wrong in them is said before anything is opened
    triggers_of(options)
    import_filters(options)
    if options.jobs is not None and options.jobs > 1:
        fanout = _new_groups(options)
        _say_begin(options, output)
        return run_workers(options, output, run_worker, fanout)
    full_screen = _is_full_screen(options, output)
    with ExitStack() as stack:
        command = None
        if options.words is not None:
            stack.enter_context(exceptions())  # its key log is removed in any case
            lines = output.path is None and (options.events or options.format == "json")
            command = LiveCommand(options.words, _STANDARD_ERROR if lines else None)  # a program reads them, and nothing else
            stack.callback(command.close)
        source = open_source(options)
        stack.callback(source.close)
        processes = None if isinstance(source, PipeCapture) else LiveProcesses.open(options.user)
        if processes is not None:
            stack.callback(processes.close)
        if command is not None:
            command.start()
        _drop_rights(options, source, full_screen)
        chains = read_chains(options)
        live_run = _live_run(options, source, full_screen, None if command is None else command.key_log)
        summary = LiveSummary(live_run.engine.material, chains)
        live_run.n_bytes = lambda: summary.traffic.n_bytes
        listeners: list[Listener] = [chains] if processes is None else [processes, chains]
        passes = filter_listener(filter_of(options), live_run, chains)
        listeners += [] if passes is None else [passes]
        listeners += keepers(options, live_run, chains)
        n_frames = limits_of(options).n_frames
        if full_screen:
            from analyzer.cli.live_view import watch

            title = names(options.interfaces) if passes is None else f"{names(options.interfaces)} -Y {passes.text}"
            watch(
                live_run, [*listeners, summary], chains, title, n_frames, lambda board: _chosen(passes, board, live_run, True)
            )
        elif command is None:
            printer = _chosen(passes, _printer(options, output, chains), live_run, options.events)
            _print(options, output, live_run, [*listeners, summary, printer], n_frames)
        else:
            live_run.enough = command.ended
            printer = _chosen(passes, _printer(options, output, chains), live_run, options.events)
            own = OwnSessions(command, live_run.engine.material.keylog, [summary, printer])
            live_run.notes.append(own.notes)
            _print(options, output, live_run, [*listeners, own], n_frames)
            command.stop()
            complain(command.outcome())
            if own.others:
                complain(own.left_out())
        if passes is not None:
            complain(outcome_of(passes))
        status = _status(source)
        if status != FAILED:
            page = output if full_screen else ErrorOutput(options.color)
            print_live_summary(page, names(options.interfaces), summary, live_run, processes)
        return status


def run_worker(options: Namespace, output: Output, share: Share) -> Counts:
    """Be one of several workers that share the packets: see `live_workers`. Return what it has counted."""
    with ExitStack() as stack:
        source = open_source(options, share.fanout)
        stack.callback(source.close)
        processes = LiveProcesses.open(options.user, share.number)
        if processes is not None:
            stack.callback(processes.close)
        if share.place > 0:  # the first one says what all have to say
            stack.enter_context(redirect_stderr(stack.enter_context(open(os.devnull, "w"))))
        _drop_rights(options, source)
        share.end_with_parent()
        chains = read_chains(options)
        live_run = _live_run(options, source, options.events, None)
        live_run.engine.dispatcher.opened.numbers = (share.place, share.number)
        failing = FailureListener(chains)
        listeners: list[Listener] = [chains, failing] if processes is None else [processes, chains, failing]
        passes = filter_listener(filter_of(options), live_run, chains)
        listeners += [] if passes is None else [passes]
        listeners.append(_chosen(passes, _printer(options, output, chains), live_run, options.events))
        with Interruption(source.stop, [signal.SIGINT]):
            output.write(READY)
            output.flush()
            run_engine(live_run, live_run.engine, listeners)
        live_run.report_notes()
        engine = live_run.engine
        return Counts(engine.frames, engine.dispatcher.count, source.statistics(), failing.failures.record())


def _new_groups(options: Namespace) -> Mapping[str, int]:
    """Return the groups that share the packets. What several processes cannot do is said here, once. Raises CommandError."""
    for path in (*options.keylog, *options.rsa_key, *options.psk_file, *options.password_file):
        if path == "-":
            raise CommandError("-: standard input cannot be read by several processes (-j)")
    try:
        groups = new_groups(options.interfaces)
    except CaptureError as error:
        raise CommandError(str(error)) from error
    open_source(options, groups).close()
    return groups


def _live_run(options: Namespace, source: LiveSource, detailed: bool, own_log: str | None) -> LiveRun:
    """Return the source of a run, with its engine. own_log: the key log of a command."""
    keys = LiveKeys(options, own_log)
    detailed = detailed or options.events or has_trigger(options) or filter_asks_packets(options)
    engine = Engine(
        detailed=detailed,
        places=filters_ask_records(options),
        watches_revocation=True,
        announces=True,
        watches_failures=True,
        **keys.arguments,
    )
    keys.needed = open_randoms_of(engine)
    clock = [None] if isinstance(source, PipeCapture) else []
    return LiveRun(source, engine, keys, limits_of(options), complain, *clock)


def open_source(options: Namespace, fanout: Mapping[str, int] | None = None) -> LiveSource:
    """Open what is captured. Nothing of it is read yet. Raises CommandError. fanout: see `LiveCapture.open`."""
    if is_pipe(options.interfaces[0]):
        try:
            return PipeCapture(options.interfaces[0])
        except OSError as error:
            raise CommandError(f"{options.interfaces[0]}: {error.strerror}") from error
    given = {
        "bpf": options.capture_filter,
        "buffer_mib": options.buffer,
        "snapshot_length": options.snapshot_length,
        "promiscuous": not options.no_promiscuous,
        "backend": options.backend,
        "block_timeout_ms": _BLOCK_TIMEOUT,
    }
    capture = LiveCapture(
        options.interfaces, LiveOptions(**{name: value for name, value in given.items() if value is not None})
    )
    try:
        capture.open(fanout)
    except CaptureError as error:
        raise CommandError(str(error)) from error
    return capture


def _is_full_screen(options: Namespace, output: Output) -> bool:
    """Return whether the view is shown. It reads keys from standard input, and draws on standard error."""
    if options.format is not None or options.events or options.words is not None or STANDARD_STREAM in options.interfaces:
        return False
    return output.terminal and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _drop_rights(options: Namespace, source: LiveSource, view: bool = False) -> None:
    import_later_ones()
    try:
        note = privileges.drop(options.user)
    except CaptureError as error:
        raise CommandError(str(error)) from error
    missing = unreadable(view, not options.trust or MOZILLA in options.trust)
    if missing is not None:
        raise CommandError(f"user {options.user or f'number {os.getuid()}'} cannot read {missing}")
    if note is not None and not isinstance(source, PipeCapture):
        complain(note)


def _printer(options: Namespace, output: Output, chains: Chains) -> Listener:
    if options.events:
        return EventLines(output, chains)
    return JsonLines(output, chains, False) if options.format == "json" else LiveRows(output, chains, options.words is not None)


def _chosen(passes: "LiveFilter | None", listener: Listener, live_run: LiveRun, holds: bool) -> Listener:
    """Return what passes on to a listener only the sessions that pass the filter. holds: see `ChosenSessions`."""
    if passes is None:
        return listener
    from analyzer.cli.live_filter import PassingSessions

    passing = PassingSessions(passes, [listener], holds)
    live_run.notes.append(passing.notes)
    return passing


def _print(options: Namespace, output: Output, live_run: LiveRun, listeners: Sequence[Listener], n_frames: int | None) -> None:
    """Run, with results as lines."""
    _say_begin(options, output)
    with Interruption(live_run.source.stop):
        run_engine(live_run, live_run.engine, listeners, n_frames)
    live_run.report_notes()
    output.flush()


def _say_begin(options: Namespace, output: Output) -> None:
    if sys.stderr is not None and sys.stderr.isatty() and not output.terminal:
        complain(f"capturing on {names(options.interfaces)}; Ctrl-C ends it")


def _status(source: LiveSource) -> int:
    """Report what was wrong with a pipe, and return the exit status."""
    errors = source.captured.errors() if isinstance(source, PipeCapture) else []
    for facts in errors:
        complain(error_line(facts))
    if not errors:
        return DONE
    return FAILED if errors[0].format is None else DAMAGED
