"""`analyzer validate`: tries this installation on material with known answers, and writes the pack for a laboratory's file."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from analyzer.cli.document_targets import need_font, refuse_targets, write_target
from analyzer.cli.exit_status import DAMAGED, DONE
from analyzer.cli.output import STANDARD_STREAM, CommandError, Output
from analyzer.cli.table import pad, width, wrap
from analyzer.crosscheck.tshark_program import TsharkError, TsharkProgram, find_tshark
from analyzer.report.sentences import Sentences
from analyzer.store.session_record import json_line
from analyzer.validation.material import Material, MissingMaterialError
from analyzer.validation.pack_forms import ENDINGS, write_pack
from analyzer.validation.pack_text import counts_text, head_lines, told_requirements
from analyzer.validation.sentence_folder import DIRECTORY
from analyzer.validation.validation_run import validate
from analyzer.validation.validation_trial import FAILED, PASSED

NOT_MET = 3
"""Exit status where a requirement is not met."""

_STYLES = {PASSED: "green", FAILED: "alarm"}


def run(options: Namespace, output: Output) -> int:
    """Run all trials, write the pack, and return the exit status."""
    forms = _forms_of(options)
    program = _second_program(options)
    try:
        with _progress() as step:
            facts = validate(Material(), program, options.timeout, step)
    except MissingMaterialError as error:
        raise CommandError(str(error)) from error
    for target, form in forms:
        write_target(target, write_pack(facts, form, options.lang, options.font_path), options.force)
    if options.format == "json":
        output.write(json_line(facts))
    else:
        _print_text(output, facts, Sentences(options.lang, DIRECTORY))
    return {PASSED: DONE, FAILED: NOT_MET}.get(facts["result"], DAMAGED)


def _forms_of(options: Namespace) -> list[tuple[str, str]]:
    """Return where the pack goes, and in which form. Raises CommandError before anything is run."""
    forms = []
    for target in options.targets:
        form = ENDINGS.get(os.path.splitext(target)[1].lower())
        if target == STANDARD_STREAM or form is None:
            raise CommandError(f"{target}: no form of a pack has this ending: .html, .pdf, .md or .json")
        forms.append((target, form))
    refuse_targets(options.targets, options.force)
    need_font(options.lang, [form for _, form in forms], options.font_path)
    return forms


def _second_program(options: Namespace) -> TsharkProgram | None:
    """Return the tshark that is asked; None if none is named and none is in PATH. Raises CommandError for a bad one."""
    try:
        return find_tshark(options.tshark)
    except TsharkError as error:
        if options.tshark is None:
            return None
        raise CommandError(str(error)) from error


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Give the function that shows how many trials were run: on a terminal a bar on standard error, else nothing."""
    if not sys.stderr.isatty():
        yield lambda n, total: None
        return
    from analyzer.cli.progress import CountBar

    with CountBar() as bar:
        yield bar.count


def _print_text(output: Output, facts: dict[str, Any], sentences: Sentences) -> None:
    for line in head_lines(facts, sentences):
        output.line(line)
    output.line()
    told = told_requirements(facts, sentences)
    widest = max(width(one.word) for one in told)
    for one in told:
        word = output.paint(pad(one.word, widest), _STYLES.get(one.result, "yellow"))
        output.line(f"{one.code}  {word}  {one.counts:>9}  {one.title}")
        for trouble in one.troubles:
            output.line("     " + trouble)
    output.line()
    for line in wrap(counts_text(facts, sentences), max(40, output.width)):
        output.line(line)
