"""`analyzer export`: writes what sessions carried, as files or as plain packets, or the capture with the sessions' secrets."""

import marshal
import os
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.export_files import export_files
from analyzer.cli.export_har import export_har
from analyzer.cli.export_reading import read_for, report_missing_sessions, report_undecrypted, require_capture
from analyzer.cli.export_srtp import export_srtp
from analyzer.cli.key_files import Keys, read_keys
from analyzer.cli.output import STANDARD_STREAM, CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import chosen_sessions
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.engine import Engine
from analyzer.store.capture_as_plaintext import PlainCapture
from analyzer.store.capture_with_secrets import ConnectionFilter, KeyedCapture
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.private_file import PrivateFile
from analyzer.store.session_secrets import SessionSecrets, around_of, session_lines
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import say
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.shard import Holes
    from analyzer.store.shards import SharedSession

_CAPTURE = ".pcapng"
"""The ending of an output file that is a capture."""

_ARCHIVE = ".har"
"""The ending of an output file that is an HTTP Archive."""

_OTHER_ENDINGS = (".pcap", ".cap", ".gz", ".zst", ".lz4", ".xz", ".bz2")
"""Endings of captures in other formats; a path with such an ending is not meant as a folder."""


def run(options: Namespace, output: Output) -> int:
    """Write what the options ask for, and return the exit status."""
    if options.target is not None and options.har is None and options.target.lower().endswith(_ARCHIVE):
        options.target, options.har = None, options.target
    targets = [options.target, options.plaintext, options.har, options.srtp_keys]
    if len(targets) - targets.count(None) != 1:
        raise CommandError(
            "say where to: -o DIR, -o FILE.zip, -o FILE.pcapng, --plaintext FILE.pcapng, --har FILE, or --srtp-keys FILE"
        )
    if STANDARD_STREAM in targets:
        raise CommandError("standard output cannot hold an export: name a file or a folder")
    for option, path, export in (("--har", options.har, export_har), ("--srtp-keys", options.srtp_keys, export_srtp)):
        if path is None:
            continue
        for name, value in (("--what", options.what), ("--only", options.only)):
            if value:
                raise CommandError(f"{name} does not go with {option}")
        return export(options, output, _file(path, options))
    if options.target is not None and options.target.lower().endswith(_OTHER_ENDINGS):
        raise CommandError(f"{options.target}: only a capture in pcapng can hold secrets: give it the ending {_CAPTURE}")
    to_file = options.plaintext is not None or options.target.lower().endswith(_CAPTURE)
    for name, value in (("--what", options.what), ("--only", options.only or None)):
        if value is not None and to_file == (name == "--what"):
            raise CommandError(f"{name} does not go with {'a capture' if to_file else 'a folder'}")
    if options.plaintext is not None and options.only:
        raise CommandError("--only does not go with --plaintext, which has no other packets")
    if options.plaintext is not None:
        return _export_plain(options, output)
    if to_file:
        return _export_keyed(options, output)
    return export_files(options, output)


def _export_keyed(options: Namespace, output: Output) -> int:
    """Write the capture with its sessions' secrets. It is read twice, because secrets are written before what they decrypt."""
    if "-" in options.captures:
        raise CommandError("-: what comes through a pipe cannot be read twice: save it to a file first")
    target = _file(options.target, options)
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    found, n_sessions = _find_secrets(options, capture_run, keys, chosen_sessions(part_of(options), options, output, keys))
    status = report_missing_sessions(options, n_sessions)
    if not found.lines:
        capture_run.status()
        raise CommandError(
            f"{names_of(options.captures)}: there is no secret for any of {count_text(len(found.without), 'session')}"
        )
    again = CaptureRun(options.captures, output)
    packet_reader = None
    with target as file:
        copy = KeyedCapture(file, found.blocks(), ConnectionFilter(found.spans) if options.only else None)
        for packet_reader in again.packet_readers():
            copy.run(packet_reader)
        copy.close(packet_reader)
    if found.without:
        sessions = count_text(len(found.without), "session")
        complain(say("{sessions} without a secret: closed in {target} too", sessions=sessions, target=options.target))
    sessions = count_text(len(found.lines), "session")
    output.line(
        say(
            "{frames} in {target}, with the secrets of {sessions}",
            frames=count_text(copy.frames, "frame"),
            target=harmless(options.target),
            sessions=sessions,
        )
    )
    return again.status() or status


def _find_secrets(options: Namespace, capture_run: CaptureRun, keys: Keys, sessions: list[int]) -> tuple[SessionSecrets, int]:
    """Read the capture. Return the secrets of these sessions, or of all if there are none, and how many sessions it has."""

    def describe(session: Session, holes: "Holes", resumed: bool) -> bytes:
        flow = session.flow
        return marshal.dumps((session_lines(session, keys["keylog"]), flow.first_frame, flow.last_frame, around_of(session)))

    shards = make_shards(options, capture_run, keys, describe, NO_VERDICTS, {"reads_data": False})
    if shards is not None:
        material = KeyMaterial(None, keys["keylog"])
        found = SessionSecrets(material, sessions)
        run_shared(capture_run, shards, _SharedSecrets(found))
        require_capture(capture_run)
        return found, shards.n_sessions
    engine = Engine(reads_data=False, **keys)
    found = SessionSecrets(engine.material, sessions)
    read_for(capture_run, engine, found)
    return found, engine.dispatcher.count


class _SharedSecrets(SharedListener):
    """Takes the secrets that several processes have found."""

    def __init__(self, found: SessionSecrets) -> None:
        self._found = found

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            lines, first, last, around = marshal.loads(session.describe(NO_VERDICTS))  # noqa: S302 - from a process of our own
            self._found.add_lines(session.id, lines, session.key, (first, last), around)


def _export_plain(options: Namespace, output: Output) -> int:
    """Write the plaintext of sessions as packets."""
    target = _file(options.plaintext, options)
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    sessions = chosen_sessions(part_of(options), options, output, keys)
    engine = Engine(detailed=True, places=False, fields=False, reads_data=False, **keys)
    with target as file:
        plain = PlainCapture(file, sessions)
        read_for(capture_run, engine, plain)
    status = report_missing_sessions(options, engine.dispatcher.count)
    report_undecrypted(plain.closed)
    carried = count_text(plain.sessions, "session")
    output.line(
        say(
            "{frames} in {target}, with what {sessions} carried",
            frames=count_text(plain.frames, "frame"),
            target=harmless(options.plaintext),
            sessions=carried,
        )
    )
    return capture_run.status() or status


def _file(path: str, options: Namespace) -> PrivateFile:
    for capture in options.captures:
        if capture != "-" and os.path.exists(path) and os.path.samefile(path, capture):
            raise CommandError(f"{capture}: the output would overwrite this input")
    try:
        return PrivateFile(path, options.force)
    except FileExistsError as error:
        raise CommandError(f"{path}: the file exists (--force replaces it)") from error
