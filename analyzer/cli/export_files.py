"""`analyzer export -o DIR` and `-o FILE.zip`: writes what sessions carried as files, with a manifest of them.

The manifest says what was read and how, and lists exactly the files that are there: also after Ctrl-C, the first of which
ends the input, and the second the command. A ZIP file is made of the finished folder, in the order of names and with a fixed
time, so the same input and command give the same bytes.
"""

import os
import shutil
import tempfile
import zipfile
from argparse import Namespace
from typing import Any, BinaryIO

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.exit_status import DONE, FAILED
from analyzer.cli.export_reading import SHOWN, read_for, report_missing_sessions, report_undecrypted
from analyzer.cli.interruption import exceptions
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import chosen_sessions
from analyzer.cli.trust_options import read_chains, trust_option_paths
from analyzer.engine import Engine
from analyzer.report.collected_facts import tool_facts
from analyzer.report.evidence import secret_file_facts, trust_facts
from analyzer.report.reproduction import content_words
from analyzer.store.chain_verdicts import Chains
from analyzer.store.declaration import path_text
from analyzer.store.exported_objects import CERTIFICATES, KINDS, OBJECTS, ExportedObjects
from analyzer.store.folder import MAX_FILES, PRIVATE_FILE, Folder
from analyzer.store.manifest import NAME, Manifest
from analyzer.store.private_file import FULL, PrivateFile
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import say
from analyzer.text.punctuation import listing

ZIP = ".zip"
"""The ending of an output file that is a ZIP file."""

END, INTERRUPTED = "end", "interrupted"
"""How the input ended, in a manifest."""

_DEFAULT_KINDS = (OBJECTS, CERTIFICATES)
_UNIX = 3
_BEGINNING = (1980, 1, 1, 0, 0, 0)
_BLOCK = 1 << 20
_LEVEL = 6
_ZIP64 = 1 << 31
DIGEST_DIGITS = 64
"""Hexadecimal digits of SHA-256."""


def export_files(options: Namespace, output: Output) -> int:
    """Write the files, and return the exit status."""
    if not options.target.lower().endswith(ZIP):
        return _export(options, output, options.target)
    target = _zip_target(options)
    with exceptions(), _folder_beside(options.target) as folder:
        status = _export(options, output, folder)
        with target as file:
            _write_zip(file, folder)
    return status


def _export(options: Namespace, output: Output, path: str) -> int:
    kinds = _kinds(options.what)
    capture_run = CaptureRun(options.captures, output, hashing=True)
    chains = read_chains(options)
    keys = read_keys(options, capture_run)
    part = part_of(options)
    sessions = chosen_sessions(part, options, output, keys)
    chosen = {"what": list(kinds), "sessions": sorted(set(sessions)), "part": None if part is None else part.record()}
    try:
        folder = Folder(path, options.max_size, options.force)
    except FileExistsError as error:
        raise CommandError(f"{options.target}: not an empty folder (--force writes there all the same)") from error
    with exceptions(), folder, Manifest(folder, _head(options, chosen, capture_run, chains, None)) as manifest:
        contents = ExportedObjects(folder, manifest, kinds, sessions, capture_run.reader.places, chains)
        engine = Engine(detailed=True, places=False, fields=False, reads_data=False, **keys)
        try:
            read_for(capture_run, engine, contents)
        except KeyboardInterrupt:
            contents.write(_head(options, chosen, capture_run, chains, INTERRUPTED))
            raise
        contents.write(_head(options, chosen, capture_run, chains, INTERRUPTED if capture_run.reader.stopped else END))
        status = report_missing_sessions(options, engine.dispatcher.count)
        report_undecrypted(contents.closed)
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
        return capture_run.status() or status or _report_failures(folder, options)


def _head(
    options: Namespace, chosen: dict[str, Any], capture_run: CaptureRun, chains: Chains, ended: str | None
) -> dict[str, Any]:
    """Return what a manifest says of the whole. ended: None before the captures are read, to know how long it will be."""
    known = {facts.path: facts for facts in capture_run.reader.files}
    inputs: list[dict[str, Any]] = []
    for path in capture_run.reader.paths:
        facts = known.get(path)
        digest = ("0" * DIGEST_DIGITS if ended is None else None) if facts is None else facts.sha256
        inputs.append(
            {"role": "capture", "path": path_text(path), "size": 1 << 40 if facts is None else facts.size, "sha256": digest}
        )
    for role, paths in (("key_log", options.keylog), ("private_key", options.rsa_key), ("psk_file", options.psk_file)):
        inputs += [{"role": role, **secret_file_facts(path)} for path in dict.fromkeys(paths)]
    inputs += [{"role": "certificates", **secret_file_facts(path)} for path in trust_option_paths(options)]
    used = bool(chains.stores()) or ended is None
    return {
        "tool": tool_facts(),
        "command": content_words(options.given),
        "options": chosen | {"max_size": options.max_size, "at": chains.fixed_time()},
        "ended": ended or INTERRUPTED,
        "inputs": inputs,
        "trust": trust_facts(chains.trust) if used else [],
    }


def _folder_beside(path: str) -> "tempfile.TemporaryDirectory[str]":
    """Return a folder beside a file, which is removed in the end. Raises OSError with the name of the file."""
    try:
        return tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=os.path.dirname(path) or ".")
    except OSError as error:
        raise type(error)(error.errno, error.strerror, path) from error


def _zip_target(options: Namespace) -> PrivateFile:
    try:
        return PrivateFile(options.target, options.force)
    except FileExistsError as error:
        raise CommandError(f"{options.target}: the file exists (--force replaces it)") from error


def _write_zip(file: BinaryIO, folder: str) -> None:
    """Write a folder as a ZIP file, whose bytes depend on nothing but the names and contents."""
    names = sorted(os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in names:
            info = zipfile.ZipInfo(name, _BEGINNING)
            info.create_system, info.external_attr, info.compress_type = _UNIX, PRIVATE_FILE << 16, zipfile.ZIP_DEFLATED
            path = os.path.join(folder, name)
            with open(path, "rb") as source, archive.open(info, "w", force_zip64=os.path.getsize(path) >= _ZIP64) as target:
                shutil.copyfileobj(source, target, _BLOCK)


def _kinds(text: str | None) -> tuple[str, ...]:
    if text is None:
        return _DEFAULT_KINDS
    kinds = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for kind in kinds:
        if kind not in KINDS:
            raise CommandError(f"--what: {kind!r} is none of {', '.join(KINDS)}")
    return kinds


def _report_failures(folder: Folder, options: Namespace) -> int:
    """Report the files that are missing or truncated, and return the status."""
    full = [error for _, error in folder.failures if error.errno in FULL]
    others = [(name, error) for name, error in folder.failures if error.errno not in FULL]
    if full:
        missing = say("{files} missing", files=count_text(len(full), "file is", "files are"))
        complain(f"{options.target}: {full[0].strerror}: {missing}")
    for name, error in others[:SHOWN]:
        complain(f"{os.path.join(options.target, name)}: {error.strerror or error}")
    if len(others) > SHOWN:
        further = count_text(len(others) - SHOWN, "further file")
        complain(say("and {further} could not be written", further=further))
    if folder.n_truncated:
        files = count_text(folder.n_truncated, "file is", "files are")
        complain(say("{files} cut or missing: --max-size is {size}", files=files, size=size_text(options.max_size)))
    if folder.n_refused:
        files = count_text(folder.n_refused, "file is", "files are")
        complain(say("{files} missing: there are {n:,} already", files=files, n=MAX_FILES))
    return FAILED if folder.failures else DONE
