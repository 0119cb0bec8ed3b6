"""`analyzer sessions`: one record for every TLS session, as JSON while reading, or as text or CSV in the order of their ids."""

from argparse import Namespace

from analyzer.cli.output import Output, Refusal
from analyzer.cli.reading import Reading
from analyzer.engine import Engine
from analyzer.store.record import json_line, session_record


def run(options: Namespace, output: Output) -> int:
    """Print the sessions of the captures; the exit status."""
    if not options.captures:
        raise Refusal("the following arguments are required: CAPTURE (see analyzer sessions --help)")
    return _run_json(options, output)


def _run_json(options: Namespace, output: Output) -> int:
    reading = Reading(options.captures)
    engine = Engine()
    for walker in reading.walkers(output, streaming=True):
        engine.run(walker)
        ended = engine.drain()
        for session in ended:
            output.write(json_line(session_record(session, options.messages)))
        if ended:
            output.flush()
    engine.close()
    for session in engine.drain():
        output.write(json_line(session_record(session, options.messages)))
    output.flush()
    return reading.status()
