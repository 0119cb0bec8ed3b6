"""`analyzer export --har FILE`: writes every HTTP exchange as an HTTP Archive, for browsers and their tools."""

import os
from argparse import Namespace
from collections.abc import Collection

from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.export_reading import report_missing_sessions
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import sessions_of
from analyzer.engine import Engine
from analyzer.engine.plain_http import dispatcher_with
from analyzer.store.har_archive import HarArchive
from analyzer.store.private_file import PrivateFile
from analyzer.text.escape import harmless
from analyzer.text.file_findings import error_line
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import say


def export_har(options: Namespace, output: Output, target: PrivateFile) -> int:
    """Write the archive, and return the exit status."""
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    part = part_of(options)
    sessions: Collection[int] | None = options.session or None
    if part is not None:
        found = sessions_of(part, options, output, keys).numbers
        sessions = found.intersection(options.session) if options.session else found
    plain = not options.session
    with target as file, HarArchive(os.path.dirname(options.har), options.max_size, sessions, part, plain) as archive:
        engine = Engine(
            detailed=True,
            places=False,
            fields=False,
            reads_data=False,
            dispatches=dispatcher_with(archive.take_body),
            **keys,
        )
        capture_run.run(engine, [archive])
        if capture_run.has_no_capture():
            raise CommandError(error_line(capture_run.reader.files[0]))
        archive.write(file, names_of(options.captures))
    status = report_missing_sessions(options, engine.dispatcher.count)
    if archive.closed:
        sessions_closed = count_text(archive.closed, "session was", "sessions were")
        complain(say("{sessions} not decrypted", sessions=sessions_closed))
    if archive.unasked:
        unasked = count_text(archive.unasked, "exchange is", "exchanges are")
        complain(say("{exchanges} left out: the request is not in the capture", exchanges=unasked))
    if archive.bodies_cut:
        bodies = count_text(archive.bodies_cut, "body is", "bodies are")
        complain(say("{bodies} left out: --max-size is {size}", bodies=bodies, size=size_text(options.max_size)))
    if archive.entries:
        complain(say("{target} holds cookies and passwords as they were sent", target=options.har))
    exchanges = count_text(archive.entries, "HTTP exchange")
    output.line(say("{exchanges} in {target}", exchanges=exchanges, target=harmless(options.har)))
    return capture_run.status() or status
