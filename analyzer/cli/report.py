"""`analyzer report`: examines the captures, and writes the forensic report in one or several forms."""

import os
import time
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import IO, Any

from analyzer.capture.frame_choice import with_choice_of
from analyzer.capture.source import DIGESTS
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.crosscheck import second_opinion
from analyzer.cli.document_targets import need_font, refuse_existing, refuse_targets, write_target
from analyzer.cli.exit_status import FAILED
from analyzer.cli.interruption import exceptions
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import STANDARD_STREAM, CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import frames_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.report_arguments import ENDINGS
from analyzer.cli.report_bundle import captures_of, check_folder, records_file, write_report_bundle
from analyzer.cli.shared_arguments import paths_of_keys
from analyzer.cli.signing_files import signer_of
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine, Listener
from analyzer.report.attachments import attach, tables
from analyzer.report.case_data import KINDS, CaseDataError, case_facts
from analyzer.report.collected_facts import FORMAT, tool_facts
from analyzer.report.evidence import evidence_facts
from analyzer.report.examination import Examination
from analyzer.report.forms import NAMES, Forms
from analyzer.report.limitations import part_limitations
from analyzer.report.redaction import KINDS as REDACTED
from analyzer.report.redaction import redact_all
from analyzer.report.reproduction import content_words
from analyzer.report.session_lines import SessionLines
from analyzer.store.clock import rfc3339
from analyzer.store.declaration import path_text
from analyzer.store.validation_time import NOW, read_moment

MOST_INSIDE = 4 << 20
"""Bytes of an attached table that an HTML page has inside. A larger one stands beside it, so that browsers open the page."""


def run(options: Namespace, output: Output) -> int:
    """Write the report of the captures, and return the exit status."""
    options.captures = with_choice_of(options.captures, captures_of(options.captures))
    forms = _forms_of(options)
    kinds = _list_of("--redact", options.redact, REDACTED)
    options.issued_at = _moment_of(options.issued_at)
    signer = signer_of(options)
    if options.bundle is not None:
        check_folder(options.bundle)
    with ExitStack() as stack:
        stack.enter_context(exceptions())  # the records of sessions are removed in any case
        records = None if options.bundle is None else stack.enter_context(records_file())
        capture_run, facts, contents = examine(options, output, records)
        if capture_run.has_no_capture():
            capture_run.status()
            return FAILED
        if kinds:
            facts["options"]["redact"] = kinds
            redacted = None if records is None else stack.enter_context(records_file())
            pair = None if records is None or redacted is None else (records, redacted)
            facts, contents = redact_all(facts, contents, kinds, pair)
            records = redacted
        wanted = dict.fromkeys([form for _, form in forms] + ([] if options.bundle is None else ["json"]))
        inside = {name: content for name, content in contents.items() if len(content) <= MOST_INSIDE}
        written = _written(Forms(facts, inside, options.font_path), wanted)
        beside = _tables_beside(forms, contents, options)
        for target, form in forms:
            write_target(target, written[form], options.force)
        for path, content in beside.items():
            write_target(path, content, options.force)
        if options.bundle is not None:
            reports = {NAMES[form]: content for form, content in written.items()}
            write_report_bundle(options.bundle, facts, {**reports, **contents}, records, signer)
    return capture_run.status()


def _forms_of(options: Namespace) -> list[tuple[str, str]]:
    """Return where the report goes, and in which form. Raises CommandError before anything is read."""
    if not options.targets and options.bundle is None:
        raise CommandError("say where to: -o report.html (or .pdf, .md, .json), or --bundle DIR")
    if STANDARD_STREAM in options.targets:
        raise CommandError("a report goes to a file, not to standard output: -o report.html (or .pdf, .md, .json)")
    forms = [(target, _form(target, options.format)) for target in options.targets]
    need_font(options.lang, [form for _, form in forms], options.font_path)
    for target in options.targets:
        _refuse_input(target, options)
    refuse_targets(options.targets, options.force)
    return forms


def _refuse_input(target: str, options: Namespace) -> None:
    for path in [*options.captures, *paths_of_keys(options)]:
        if os.path.exists(target) and os.path.exists(path) and os.path.samefile(target, path):
            raise CommandError(f"{path}: the output would overwrite this input")


def _moment_of(text: str | None) -> str | None:
    """Return the time of `--issued-at` in the form of all times. Raises CommandError."""
    if text is None:
        return None
    try:
        at = time.time_ns() if text == NOW else read_moment(text)
    except ValueError:
        at = text
    found = rfc3339(at) if isinstance(at, int) else None
    if found is None:
        raise CommandError(f"--issued-at: {text!r} is no time after 1969: say now, or as in 2026-10-03T12:00:00Z")
    return found


def _written(forms: Forms, wanted: Iterable[str]) -> dict[str, bytes]:
    try:
        return {form: forms.write(form) for form in wanted}
    except ImportError as error:
        raise CommandError(str(error)) from error


def _tables_beside(forms: Sequence[tuple[str, str]], contents: Mapping[str, bytes], options: Namespace) -> dict[str, bytes]:
    """Return the attached tables by path, for reports that cannot have them inside: `report.sessions.csv` beside `report.pdf`
    and `report.md`, and beside `report.html` if it is large. Raises CommandError before anything is written.
    """
    found = {
        f"{os.path.splitext(target)[0]}.{name}": content
        for target, form in forms
        for name, content in contents.items()
        if form != "html" or len(content) > MOST_INSIDE
    }
    for target in found:
        if any(target == other for other, _ in forms):
            raise CommandError(f"{target}: a table has this name, which you gave to a report")
        _refuse_input(target, options)
        refuse_existing(target, options.force)
    return found


def examine(
    options: Namespace, output: Output, records: IO[bytes] | None = None
) -> tuple[CaptureRun, dict[str, Any], dict[str, bytes]]:
    """Read the captures. Return the run, the facts of the report, and the attached tables by their names.

    records: where the records of all sessions are written, None for nowhere.
    """
    case = _case(options)
    captures = options.captures
    opinion = _opinion(captures, options, output) if options.crosscheck else None
    capture_run = CaptureRun(captures, output, hashing=("sha256", *_list_of("--digest", options.digest, DIGESTS)))
    chains = read_chains(options)
    keys = read_keys(options, capture_run)
    part = capture_run.part = part_of(options)
    wanted = frames_of(part, options, output, keys)
    engine = Engine(detailed=True, places=False, watches_revocation=True, watches_https=True, **keys)
    examination = Examination(chains)
    lines = [] if records is None else [SessionLines(records, chains)]
    listeners: list[Listener] = [*examination.listeners, *lines]
    if part is not None:  # what is told of the files is about all of them
        whole = (chains, *examination.of_files)
        listeners = [one if one in whole else PartListener(one, part, chains, wanted) for one in listeners]
    capture_run.run(engine, listeners)
    files = capture_run.reader.files
    evidence = evidence_facts(
        files,
        key_logs=options.keylog,
        private_keys=options.rsa_key,
        psk_files=options.psk_file,
        certificates=[*options.intermediates, *options.crl, *([options.ct_logs] if options.ct_logs else [])],
        case_files=[options.case_file] if options.case_file else [],
        trust=chains.trust if chains.stores() else None,
    )
    repetitions = engine.dispatcher.repetitions
    forgotten = repetitions is not None and repetitions.forgotten
    stopped_after = capture_run.reader.frame.number if capture_run.reader.stopped else None
    unread = [path_text(path) for path in capture_run.reader.paths[len(files) :]]
    results = examination.facts(files, evidence, engine.material.given, forgotten, stopped_after, unread)
    if part is not None:
        results["limits"] = [*part_limitations(**part.record()), *results["limits"]]
    contents = tables(examination.collected, results)
    _, attached = attach(contents)
    facts = {
        "format": FORMAT,
        "tool": tool_facts(),
        "command": content_words(options.given),
        "options": {"language": options.lang, "redact": [], "at": chains.fixed_time()},
        "issued_at": options.issued_at,
        "case": case,
        **results,
        "crosscheck": opinion,
        "attachments": attached,
        "redaction": None,
    }
    return capture_run, facts, contents


def _opinion(captures: Sequence[str], options: Namespace, output: Output) -> dict[str, Any]:
    """Ask tshark. A signal during that ends the command: nothing was examined yet, so there is nothing to report."""
    opinion, _, stopped = second_opinion(captures, options, output)
    if stopped:
        raise KeyboardInterrupt
    return opinion


def _case(options: Namespace) -> dict[str, Any]:
    try:
        return case_facts(options.case_file, **{kind: getattr(options, kind) for kind in KINDS}, custody=options.custody)
    except CaseDataError as error:
        raise CommandError(str(error)) from error


def _list_of(option: str, value: str | None, known: Sequence[str]) -> list[str]:
    """Return the words of an option with commas between. Raises CommandError for a word that is not known."""
    words = [word.strip() for word in value.split(",")] if value else []
    for word in words:
        if word not in known:
            raise CommandError(f"{option}: {word!r} is none of {', '.join(known)}")
    return list(dict.fromkeys(words))


def _form(target: str, form: str | None) -> str:
    ending = os.path.splitext(target)[1].lower()
    found = form or ENDINGS.get(ending)
    if found is None:
        raise CommandError(f"{target}: no form of a report has this ending: .html, .pdf, .md or .json (or give --format)")
    return found
