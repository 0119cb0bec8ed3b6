"""The command `analyzer`: reads the command line, runs the command, and turns every outcome into an exit status."""

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from analyzer.cli.arguments import parse, parser
from analyzer.cli.capture_paths import captures_in_order
from analyzer.cli.chosen_captures import take_expression, with_choice
from analyzer.cli.display_filter import filter_of, say_searches_given_up
from analyzer.cli.exit_status import FAILED
from analyzer.cli.hints import check_patterns, give_hints
from analyzer.cli.output import CommandError, Output, complain, leave_pager
from analyzer.cli.output_files import open_outputs
from analyzer.cli.part_arguments import part_of
from analyzer.cli.preferences import take_preferences
from analyzer.cli.shared_arguments import paths_of_keys
from analyzer.cli.spoken_language import choose_language, results_are_english
from analyzer.text.language import keep_results_english

INTERRUPTED = 130
"""Exit status after Ctrl-C, as in shells: 128 plus the number of SIGINT."""

BROKEN_PIPE = 141
"""Exit status when the reader of the output is gone, as if SIGPIPE had ended the program: 128 plus the number of SIGPIPE."""


UNPAGED = frozenset({"live", "export", "report", "seal", "validate"})
"""Commands that say on the terminal how far they are, or what they have written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line (None for that of the process), and return its exit status. An error is printed in one line."""
    # Objects that live until the exit need no garbage collection. Other objects are freed at once: they make no cycles.
    gc.freeze()
    gc.set_threshold(300_000, 50, 100)
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:
        _abandon_output()
        return 0 if leave_pager() else BROKEN_PIPE  # who leaves a pager has seen enough
    except CommandError as error:
        complain(str(error), *error.lines)
        return FAILED
    except KeyboardInterrupt:
        _abandon_output()
        return INTERRUPTED
    except OSError as error:
        _abandon_output()
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
        return FAILED
    finally:
        leave_pager()
        gc.freeze()  # what the process still has, its end frees


def _run(arguments: Sequence[str]) -> int:
    if sys.stdout is None:
        raise CommandError("standard output is closed")
    choose_language(arguments)
    options = parse(arguments)
    if options.version:
        from analyzer.codec.build import build

        print(build())
        return 0
    if options.completion:
        from analyzer.cli.completion import completion

        print(completion(options.completion))
        return 0
    if options.command is None:
        parser().print_help()
        return 0
    take_preferences(options)
    take_expression(options)
    given: list[str] = options.captures
    check_patterns(given)
    if options.command not in ("report", "compare"):  # for them, a folder is more than the captures in it
        options.captures = captures_in_order(given)
    options.captures = with_choice(options.captures, options)
    part_of(options)  # what cannot be is said before anything is read
    filter_of(options)
    captures = options.captures or getattr(options, "interfaces", [])
    _check_keys(options, captures)
    if getattr(options, "schema", False):
        return _print_schema(options)
    inputs = captures_in_order(captures) if options.command == "compare" else captures
    outputs = open_outputs(options, [*inputs, *paths_of_keys(options), *_trust_option_paths(options)])
    options.outputs = outputs
    _choose_pager(options, outputs)
    if filter_of(options) is not None and options.command not in ("packets", "live", "stats"):  # they ask while they read
        from analyzer.cli.filtered_frames import matches_of

        options.matches = matches_of(options, _seen(outputs))
    if results_are_english(options):
        keep_results_english()
    give_hints(options, given, os.environ)
    status: int = import_module(f"analyzer.cli.{options.command}").run(options, _seen(outputs))
    say_searches_given_up(options)
    if status != FAILED:
        for output in outputs:
            output.close()
    return status


def _choose_pager(options: Namespace, outputs: Sequence[Output]) -> None:
    """Give the output on the terminal its pager. What comes while packets arrive is shown as it comes, without one."""
    if options.no_pager or options.command in UNPAGED or not all(map(os.path.isfile, options.captures)):
        return
    for output in outputs:
        if output.terminal:
            from analyzer.cli.pager import pager_command

            output.pager = pager_command(os.environ)


def _seen(outputs: Sequence[Output]) -> Output:
    """Return the output that goes to the terminal, else the first one."""
    return next((output for output in outputs if output.terminal), outputs[0])


def _print_schema(options: Namespace) -> int:
    import orjson

    from analyzer.store.event_schema import EVENT
    from analyzer.store.output_schemas import SCHEMAS
    from analyzer.store.srtp_schema import SRTP_KEYS

    if options.command not in SCHEMAS:
        raise CommandError(f"{options.command} has no JSON output (see analyzer {options.command} --help)")
    schema = EVENT if options.command == "live" and options.events else SCHEMAS[options.command]
    if options.command == "export" and options.srtp_keys is not None:
        schema = SRTP_KEYS
    (output,) = outputs = open_outputs(options, [])
    _choose_pager(options, outputs)
    output.write(orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n")
    output.close()
    return 0


def _trust_option_paths(options: Namespace) -> list[str]:
    if "trust" not in options:
        return []
    from analyzer.cli.trust_options import trust_option_paths

    return trust_option_paths(options)


def _check_keys(options: Namespace, captures: Sequence[str]) -> None:
    """Check that the key files can be read, before anything is read or written. Raises CommandError.

    `live` may have been started with rights that its user does not have, so it finds that out when it has dropped them.
    """
    keys = paths_of_keys(options)
    if keys.count("-") > 1:
        raise CommandError("-: standard input can be read only once")
    for path in keys:
        if path == "-":
            if "-" in captures:
                raise CommandError("-: standard input cannot be a capture and a file of keys at once")
            continue
        if options.command == "live":
            continue
        try:
            # A pipe can be read only once, so it is not read here.
            if not os.path.exists(path) or os.path.isfile(path) or os.path.isdir(path):
                with open(path, "rb") as file:
                    file.read(1)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _abandon_output() -> None:
    """Discard the output that is still buffered. Writing it at exit would fail again, with a traceback."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)
