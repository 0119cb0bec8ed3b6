"""`analyzer export`: writes what sessions carried, as files or as plain packets, or the capture with the sessions' secrets."""

import marshal
import os
from argparse import Namespace
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun, no_such_session
from analyzer.cli.exit_status import DONE, FAILED
from analyzer.cli.export_har import export_har
from analyzer.cli.key_files import Keys, read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import chosen_sessions
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.engine import Engine, Listener
from analyzer.store.capture_as_plaintext import PlainCapture
from analyzer.store.capture_with_secrets import ConnectionFilter, KeyedCapture
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.exported_objects import CERTIFICATES, KINDS, OBJECTS, ExportedObjects
from analyzer.store.folder import MAX_FILES, Folder
from analyzer.store.manifest import NAME, Manifest
from analyzer.store.private_file import FULL, PrivateFile
from analyzer.store.session_secrets import SessionSecrets, session_lines
from analyzer.text.authentication_text import cause_text
from analyzer.text.escape import harmless
from analyzer.text.file_findings import error_line
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import say
from analyzer.text.punctuation import listing
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.shard import Holes
    from analyzer.store.shards import SharedSession

_SHOWN = 8
"""The most failures (files, sessions) that are reported one by one."""

_CAPTURE = ".pcapng"
"""The ending of an output file that is a capture."""

_ARCHIVE = ".har"
"""The ending of an output file that is an HTTP Archive."""

_OTHER_ENDINGS = (".pcap", ".cap", ".gz", ".zst", ".lz4", ".xz", ".bz2")
"""Endings of captures in other formats; a path with such an ending is not meant as a folder."""

_DEFAULT_KINDS = (OBJECTS, CERTIFICATES)


def run(options: Namespace, output: Output) -> int:
    """Write what the options ask for, and return the exit status."""
    if options.target is not None and options.har is None and options.target.lower().endswith(_ARCHIVE):
        options.target, options.har = None, options.target
    if [options.target, options.plaintext, options.har].count(None) != 2:
        raise CommandError("say where to: -o DIR, -o FILE.pcapng, --plaintext FILE.pcapng, or --har FILE")
    if options.har is not None:
        for name, value in (("--what", options.what), ("--only", options.only)):
            if value:
                raise CommandError(f"{name} does not go with --har")
        return export_har(options, output, _file(options.har, options))
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
    return _export_contents(options, output)


def _export_keyed(options: Namespace, output: Output) -> int:
    """Write the capture with its sessions' secrets. It is read twice, because secrets are written before what they decrypt."""
    if "-" in options.captures:
        raise CommandError("-: what comes through a pipe cannot be read twice: save it to a file first")
    target = _file(options.target, options)
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    found, n_sessions = _find_secrets(options, capture_run, keys, chosen_sessions(part_of(options), options, output, keys))
    status = _report_missing_sessions(options, n_sessions)
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
        return marshal.dumps((session_lines(session, keys["keylog"]), flow.first_frame, flow.last_frame))

    shards = make_shards(options, capture_run, keys, describe, NO_VERDICTS, {"reads_data": False})
    if shards is not None:
        material = KeyMaterial(None, keys["keylog"])
        found = SessionSecrets(material, sessions)
        run_shared(capture_run, shards, _SharedSecrets(found))
        _require_capture(capture_run)
        return found, shards.n_sessions
    engine = Engine(reads_data=False, **keys)
    found = SessionSecrets(engine.material, sessions)
    _read(capture_run, engine, found)
    return found, engine.dispatcher.count


class _SharedSecrets(SharedListener):
    """Takes the secrets that several processes have found."""

    def __init__(self, found: SessionSecrets) -> None:
        self._found = found

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            lines, first, last = marshal.loads(session.describe(NO_VERDICTS))  # noqa: S302 - from a process of our own
            self._found.add_lines(session.id, lines, session.key, (first, last))


def _export_plain(options: Namespace, output: Output) -> int:
    """Write the plaintext of sessions as packets."""
    target = _file(options.plaintext, options)
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    sessions = chosen_sessions(part_of(options), options, output, keys)
    engine = Engine(detailed=True, places=False, fields=False, reads_data=False, **keys)
    with target as file:
        plain = PlainCapture(file, sessions)
        _read(capture_run, engine, plain)
    status = _report_missing_sessions(options, engine.dispatcher.count)
    _report_undecrypted(plain.closed)
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


def _export_contents(options: Namespace, output: Output) -> int:
    kinds = _kinds(options.what)
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    sessions = chosen_sessions(part_of(options), options, output, keys)
    try:
        folder = Folder(options.target, options.max_size, options.force)
    except FileExistsError as error:
        raise CommandError(f"{options.target}: not an empty folder (--force writes there all the same)") from error
    with folder, Manifest(folder) as manifest:
        contents = ExportedObjects(folder, manifest, kinds, sessions, capture_run.reader.places)
        engine = Engine(detailed=True, places=False, fields=False, reads_data=False, **keys)
        _read(capture_run, engine, contents)
        contents.write()
        status = _report_missing_sessions(options, engine.dispatcher.count)
        _report_undecrypted(contents.closed)
        numbers = {
            "objects": count_text(contents.written["objects"], "object"),
            "certificates": count_text(contents.written["certificates"], "certificate"),
            "streams": count_text(contents.written["streams"], "stream"),
        }
        written = listing(numbers[kind] for kind in KINDS if kind in kinds)
        output.line(
            say(
                "{files} in {target}, {size}; {manifest} lists them",
                files=written,
                target=harmless(options.target),
                size=size_text(options.max_size - folder.room),
                manifest=NAME,
            )
        )
        return capture_run.status() or status or _report_failures(folder, options.max_size)


def _read(capture_run: CaptureRun, engine: Engine, listener: Listener) -> None:
    """Read the captures for a listener. Raises CommandError if the file is not a capture."""
    capture_run.run(engine, [listener])
    _require_capture(capture_run)


def _require_capture(capture_run: CaptureRun) -> None:
    if capture_run.has_no_capture():
        raise CommandError(error_line(capture_run.reader.files[0]))


def _kinds(text: str | None) -> tuple[str, ...]:
    if text is None:
        return _DEFAULT_KINDS
    kinds = tuple(word.strip() for word in text.split(","))
    for kind in kinds:
        if kind not in KINDS:
            raise CommandError(f"--what: {kind!r} is none of {', '.join(KINDS)}")
    return kinds


def _report_missing_sessions(options: Namespace, n_sessions: int) -> int:
    """Report the chosen sessions that do not exist, and return the status."""
    chosen: Collection[int] = sorted(set(options.session))
    absent = [number for number in chosen if number >= n_sessions]
    for number in absent[:_SHOWN]:
        complain(no_such_session(names_of(options.captures), number, n_sessions))
    return FAILED if absent and len(absent) == len(chosen) else DONE


def _report_undecrypted(closed: Counter[str]) -> None:
    """Report how many sessions were not decrypted, and why."""
    for reason, number in sorted(closed.items()):
        sessions = count_text(number, "session was", "sessions were")
        complain(say("{sessions} not decrypted: {why}", sessions=sessions, why=cause_text(reason)[0]))


def _report_failures(folder: Folder, max_size: int) -> int:
    """Report the files that are missing or truncated, and return the status."""
    full = [error for _, error in folder.failures if error.errno in FULL]
    others = [(name, error) for name, error in folder.failures if error.errno not in FULL]
    if full:
        missing = say("{files} missing", files=count_text(len(full), "file is", "files are"))
        complain(f"{folder.path}: {full[0].strerror}: {missing}")
    for name, error in others[:_SHOWN]:
        complain(f"{os.path.join(folder.path, name)}: {error.strerror or error}")
    if len(others) > _SHOWN:
        further = count_text(len(others) - _SHOWN, "further file")
        complain(say("and {further} could not be written", further=further))
    if folder.n_truncated:
        files = count_text(folder.n_truncated, "file is", "files are")
        complain(say("{files} cut or missing: --max-size is {size}", files=files, size=size_text(max_size)))
    if folder.n_refused:
        files = count_text(folder.n_refused, "file is", "files are")
        complain(say("{files} missing: there are {n:,} already", files=files, n=MAX_FILES))
    return FAILED if folder.failures else DONE
