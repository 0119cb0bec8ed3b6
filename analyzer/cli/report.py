"""`analyzer report`: examines the captures, and writes the forensic report in one or several forms."""

import os
from argparse import Namespace
from typing import Any

import orjson

from analyzer.cli.capture_run import FAILED, CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.report_arguments import ENDINGS
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.report.collected_facts import FORMAT, TrafficCounter, result_facts, tool_facts
from analyzer.report.session_collector import SessionCollector
from analyzer.report.traffic_series import TrafficSeries
from analyzer.store.capture_record import capture_record


def run(options: Namespace, output: Output) -> int:
    """Write the report of the captures, and return the exit status."""
    forms = [(target, _form(target, options.format)) for target in options.targets]
    capture_run, facts = examine(options, output)
    if capture_run.has_no_capture():
        capture_run.status()
        return FAILED
    for target, _ in forms:
        with open(target, "wb") as file:
            file.write(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    return capture_run.status()


def examine(options: Namespace, output: Output) -> tuple[CaptureRun, dict[str, Any]]:
    """Read the captures, and return the run and the facts of the report."""
    capture_run = CaptureRun(options.captures, output, hashing=True)
    chains = read_chains(options)
    engine = Engine(detailed=True, places=False, watches_revocation=True, **read_keys(options, capture_run))
    counter, series, collected = TrafficCounter(), TrafficSeries(), SessionCollector(chains)
    capture_run.run(engine, [chains, counter, series, collected])
    evidence = {"inputs": [capture_record(one) for one in capture_run.reader.files], "trust": chains.stores()}
    facts = {
        "format": FORMAT,
        "tool": tool_facts(),
        "evidence": evidence,
        **result_facts(evidence, counter.traffic, series, collected, collected.tls, engine.material.given),
    }
    return capture_run, facts


def _form(target: str, form: str | None) -> str:
    ending = os.path.splitext(target)[1].lower()
    found = form or ENDINGS.get(ending)
    if found is None:
        raise CommandError(f"{target}: no form of a report has this ending: .html, .pdf, .md or .json (or give --format)")
    return found
