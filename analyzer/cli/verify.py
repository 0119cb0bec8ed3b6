"""`analyzer verify`: checks a bundle, an incident or an export, and says line by line what was checked and what was not."""

import os
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from analyzer.cli.interruption import exceptions
from analyzer.cli.output import CommandError, Output
from analyzer.cli.signing_files import trusted_of
from analyzer.cli.table import pad, wrap
from analyzer.report.bundle_folder import BundleFolder, FolderError
from analyzer.report.incident_folder import packets_of
from analyzer.report.proofs import Proof, verify_proofs
from analyzer.report.reproduction import COMMAND, MOST_WORDS, Inputs, reproduce
from analyzer.report.verification import (
    BUNDLE,
    FAILS,
    HOLDS,
    UNCHECKED,
    UNPROVED,
    BundleError,
    Check,
    Read,
    all_hold,
    read_manifest,
    verify_files,
)
from analyzer.store.declaration import path_text
from analyzer.store.session_record import json_line
from analyzer.text.escape import harmless
from analyzer.text.language import Sentences, retold, say

DIFFERENT = 3
"""Exit status when something does not hold."""

_RESULTS: Sentences = {"holds": "holds", "fails": "fails", "unproved": "unproved", "unchecked": "unchecked"}

_STYLES = {"holds": "green", "fails": "alarm", "unproved": "yellow", "unchecked": "alarm"}
_WIDTH = 10


def run(options: Namespace, output: Output) -> int:
    """Check the folder, print what was found, and return the exit status."""
    if options.input and not options.reproduce:
        raise CommandError("--input is for --reproduce")
    proof = Proof(trusted_of(options.signer), trusted_of(options.tsa_cert))
    kind, checks = examine(options.folder, proof)
    if options.reproduce:
        checks += _reproduced(options, kind, checks)
    if options.format == "json":
        output.write(json_line(record(options.folder, kind, checks)))
    else:
        for line in _lines(output, checks):
            output.line(line)
    return 0 if all_hold(checks) else DIFFERENT


def examine(path: str, proof: Proof) -> tuple[str, list[Check]]:
    """Check a folder. Return its kind and the checks. Raises CommandError, OSError."""
    try:
        with BundleFolder(path) as folder:
            read, checks = verify_files(folder)
            if read.kind == BUNDLE:
                checks += verify_proofs(folder, read, proof)
            elif proof.signers is not None or proof.authorities is not None:
                checks.append(Check("signature", None, FAILS, f"an {read.kind} is neither signed nor sealed"))
            return read.kind, checks
    except (BundleError, FolderError) as error:
        raise CommandError(f"{path}: {error}") from error


def record(path: str, kind: str, checks: list[Check]) -> dict[str, Any]:
    """Return the result as JSON values."""
    return {
        "folder": path_text(path),
        "kind": kind,
        "holds": all_hold(checks),
        "checks": [{key: _text(value) for key, value in asdict(check).items()} for check in checks],
    }


def _text(value: str | None) -> str | None:
    """Return text that JSON can have: halves of characters, as in names that are no UTF-8, become escapes."""
    return None if value is None else value.encode("utf-8", "backslashreplace").decode("utf-8")


def _reproduced(options: Namespace, kind: str, checks: list[Check]) -> list[Check]:
    if kind != BUNDLE:
        raise CommandError(f"{options.folder}: an {kind} has no command that could be run again")
    if not all_hold(checks):
        return [Check("reproduce", None, FAILS, "the analysis was not run again, because the bundle itself does not hold")]
    with exceptions(), BundleFolder(options.folder) as folder:  # what was made again is removed in any case
        read = read_manifest(folder)
        words, paths = _command(options, read)
        return list(reproduce(folder, read, words, paths, _inputs(options.input)))


def _command(options: Namespace, read: Read) -> tuple[list[str], list[str]]:
    """Return the command of a manifest, after the parser of the command line has accepted it, and the files that it reads.

    Raises CommandError.
    """
    from analyzer.cli.arguments import parse
    from analyzer.cli.shared_arguments import paths_of_keys
    from analyzer.cli.trust_options import trust_option_paths
    from analyzer.cli.word_order import options_of_all

    words = read.value.get("command")
    if not isinstance(words, list) or len(words) > MOST_WORDS or not all(isinstance(word, str) for word in words):
        raise CommandError(f"{options.folder}: its manifest has no command")
    at = options_of_all(words)
    if words[at : at + 1] != [COMMAND] or {"-h", "--help", "--schema"} & set(words):
        raise CommandError(f"{options.folder}: the command of its manifest is not `report`")
    try:
        parsed = parse([*words[: at + 1], "-o", "report.json", *words[at + 1 :]])  # before a `--`
    except CommandError as error:
        raise CommandError(f"{options.folder}: the command of its manifest: {error}") from error
    cases = [] if parsed.case_file is None else [parsed.case_file]
    others = [*paths_of_keys(parsed), *trust_option_paths(parsed), *cases]
    inputs = read.value.get("inputs")
    if not isinstance(inputs, list):
        raise CommandError(f"{options.folder}: its manifest has no inputs")
    listed = [one["path"] for one in inputs if isinstance(one, dict) and isinstance(one.get("path"), str)]
    captures = [path for path in parsed.captures if path in listed or packets_of(path) in listed]
    folders = [path for path in parsed.captures if path not in captures]
    if not {os.path.dirname(os.path.join(path, "")) for path in folders} <= set(map(os.path.dirname, listed)):
        raise CommandError(f"{options.folder}: the command of its manifest reads a capture that the manifest does not list")
    # Of a folder with a relative path, nothing is there but the captures that are listed.
    captures += filter(os.path.isabs, folders)
    return list(words), list(dict.fromkeys([*captures, *others]))


def _inputs(given: list[str]) -> Inputs:
    moved = {}
    folders = []
    for one in given:
        old, equals, new = one.partition("=")
        if equals:
            moved[old] = new
        elif os.path.isdir(one):
            folders.append(one)
        else:
            raise CommandError(f"{one}: neither a folder nor OLD=NEW (--input)")
    return Inputs(moved, folders)


def _lines(output: Output, checks: list[Check]) -> Iterator[str]:
    for check in checks:
        told = harmless(retold(check.detail))
        text = told if check.file is None else say("{file}: {detail}", file=harmless(check.file), detail=told)
        first, *rest = wrap(text, max(40, output.width - _WIDTH))
        yield output.paint(pad(say(_RESULTS[check.result]), _WIDTH), _STYLES[check.result]) + first
        yield from (" " * _WIDTH + line for line in rest)
    yield ""
    counts = Counter(check.result for check in checks)
    if all_hold(checks):
        n_open = counts[UNPROVED]
        if n_open == 0:
            yield say("All {n} checks hold.", n=counts[HOLDS])
        elif n_open == 1:
            yield say("All {n} checks hold; 1 thing is not proved by anything here.", n=counts[HOLDS])
        else:
            yield say("All {n} checks hold; {open} things are not proved by anything here.", n=counts[HOLDS], open=n_open)
        return
    n_failed, n_unchecked = counts[FAILS], counts[UNCHECKED]
    failed = say("1 does not hold") if n_failed == 1 else say("{n} do not hold", n=n_failed)
    unchecked = say("1 was not checked") if n_unchecked == 1 else say("{n} were not checked", n=n_unchecked)
    if n_failed and n_unchecked:
        line = say("Of {n} checks, {failed} and {unchecked}.", n=len(checks), failed=failed, unchecked=unchecked)
    else:
        line = say("Of {n} checks, {failed}.", n=len(checks), failed=failed if n_failed else unchecked)
    yield output.paint(line, "alarm")
