"""`analyzer report`: examines the captures, and writes the forensic report in one or several forms."""

import os
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO, Any

import orjson

from analyzer.capture.source import DIGESTS
from analyzer.cli.capture_run import FAILED, CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.report_arguments import ENDINGS
from analyzer.cli.report_bundle import captures_of, records_file, write_report_bundle
from analyzer.cli.signing_files import signer_of
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.report.attachments import attach, tables
from analyzer.report.case_data import KINDS, CaseDataError, case_facts
from analyzer.report.collected_facts import FORMAT, tool_facts
from analyzer.report.evidence import evidence_facts
from analyzer.report.examination import Examination
from analyzer.report.reproduction import content_words
from analyzer.report.session_lines import SessionLines


def run(options: Namespace, output: Output) -> int:
    """Write the report of the captures, and return the exit status."""
    forms = [(target, _form(target, options.format)) for target in options.targets]
    signer = signer_of(options)
    with ExitStack() as stack:
        records = None if options.bundle is None else stack.enter_context(records_file())
        capture_run, facts, contents = examine(options, output, records)
        if capture_run.has_no_capture():
            capture_run.status()
            return FAILED
        if options.bundle is not None:
            report = orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n"
            write_report_bundle(options.bundle, facts, {"report.json": report, **contents}, records, signer)
    for target, _ in forms:
        with open(target, "wb") as file:
            file.write(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    return capture_run.status()


def examine(
    options: Namespace, output: Output, records: IO[bytes] | None = None
) -> tuple[CaptureRun, dict[str, Any], dict[str, bytes]]:
    """Read the captures. Return the run, the facts of the report, and the attached tables by their names.

    records: where the records of all sessions are written, None for nowhere.
    """
    case = _case(options)
    capture_run = CaptureRun(
        captures_of(options.captures), output, hashing=("sha256", *_list_of("--digest", options.digest, DIGESTS))
    )
    chains = read_chains(options)
    engine = Engine(detailed=True, places=False, watches_revocation=True, watches_https=True, **read_keys(options, capture_run))
    examination = Examination(chains)
    lines = [] if records is None else [SessionLines(records, chains)]
    capture_run.run(engine, [*examination.listeners, *lines])
    files = capture_run.reader.files
    evidence = evidence_facts(
        files,
        key_logs=options.keylog,
        private_keys=options.rsa_key,
        psk_files=options.psk_file,
        trust=chains.trust if chains.stores() else None,
    )
    repetitions = engine.dispatcher.repetitions
    forgotten = repetitions is not None and repetitions.forgotten
    results = examination.facts(files, evidence, engine.material.given, forgotten)
    contents = tables(examination.collected, results)
    _, attached = attach(contents)
    facts = {
        "format": FORMAT,
        "tool": tool_facts(),
        "command": content_words(options.given),
        "options": {"language": options.lang, "redact": []},
        "issued_at": options.issued_at,
        "case": case,
        **results,
        "attachments": attached,
    }
    return capture_run, facts, contents


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
