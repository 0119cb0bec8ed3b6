"""`analyzer export`: what sessions carried as files in a folder."""

import os
from argparse import Namespace
from collections.abc import Collection

from analyzer.cli.escape import harmless
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output, Refusal, complain
from analyzer.cli.quantities import count_text, size_text
from analyzer.cli.reading import DONE, FAILED, Reading, no_such_session
from analyzer.engine import Engine
from analyzer.store.contents import CERTIFICATES, KINDS, OBJECTS, Contents
from analyzer.store.folder import MAX_FILES, Folder
from analyzer.store.manifest import NAME, Manifest

_TOLD = 8
"""Files that could not be written and are named one by one."""

_DEFAULT_KINDS = (OBJECTS, CERTIFICATES)
_ONE = {"objects": "object", "certificates": "certificate", "streams": "stream"}


def run(options: Namespace, output: Output) -> int:
    """Write what was asked for; the exit status."""
    if (options.target is None) == (options.plaintext is None):
        raise Refusal("say where to: -o DIR, -o FILE.pcapng, or --plaintext FILE.pcapng")
    return _export_contents(options, output)


def _export_contents(options: Namespace, output: Output) -> int:
    kinds = _kinds(options.what)
    reading = Reading([options.capture])
    keys = read_keys(options, reading)
    try:
        folder = Folder(options.target, options.max_size, options.force)
    except FileExistsError as error:
        raise Refusal(f"{options.target}: not an empty folder (--force writes there all the same)") from error
    with folder, Manifest(folder) as manifest:
        contents = Contents(folder, manifest, kinds, options.session)
        engine = Engine(False, False, *keys, application=contents.application)
        _read(reading, output, engine, contents)
        contents.close()
        status = _tell_sessions(options, engine.sessions.count)
        for reason, number in sorted(contents.closed.items()):
            complain(f"{count_text(number, 'session was', 'sessions were')} not decrypted: {reason}")
        written = ", ".join(count_text(contents.written[kind], _ONE[kind]) for kind in KINDS if kind in kinds)
        output.line(f"{written} in {harmless(options.target)}, {size_text(options.max_size - folder.room)}; {NAME} lists them")
        return reading.status() or status or _tell_failures(folder, options.max_size)


def _read(reading: Reading, output: Output, engine: Engine, contents: Contents) -> None:
    for walker in reading.walkers(output):
        engine.run(walker)
        for session in engine.drain():
            contents.take(session)
    engine.close()
    for session in engine.drain():
        contents.take(session)


def _kinds(text: str | None) -> tuple[str, ...]:
    if text is None:
        return _DEFAULT_KINDS
    kinds = tuple(word.strip() for word in text.split(","))
    for kind in kinds:
        if kind not in KINDS:
            raise Refusal(f"--what: {kind!r} is none of {', '.join(KINDS)}")
    return kinds


def _tell_sessions(options: Namespace, n_sessions: int) -> int:
    """Name the chosen sessions that are not there; the status."""
    chosen: Collection[int] = sorted(set(options.session))
    absent = [number for number in chosen if number >= n_sessions]
    for number in absent[:_TOLD]:
        complain(no_such_session(options.capture, number, n_sessions))
    return FAILED if absent and len(absent) == len(chosen) else DONE


def _tell_failures(folder: Folder, max_size: int) -> int:
    """Say what was not written, or not whole; the status."""
    for name, error in folder.failures[:_TOLD]:
        complain(f"{os.path.join(folder.path, name)}: {error.strerror or error}")
    if len(folder.failures) > _TOLD:
        complain(f"and {count_text(len(folder.failures) - _TOLD, 'further file')} could not be written")
    if folder.n_cut:
        complain(f"{count_text(folder.n_cut, 'file is', 'files are')} cut or missing: --max-size is {size_text(max_size)}")
    if folder.n_refused:
        complain(f"{count_text(folder.n_refused, 'file is', 'files are')} missing: there are {MAX_FILES:,} already")
    return FAILED if folder.failures else DONE
