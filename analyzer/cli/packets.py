"""`analyzer packets`: prints the packet list, or with `-T` chosen fields of each packet, while the captures are read."""

from argparse import Namespace
from typing import TYPE_CHECKING

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.display_filter import filter_of, say_what_was_given_up
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_arguments import part_of

if TYPE_CHECKING:
    from analyzer.cli.part_listener import Wanted
    from analyzer.store.matches import Matches


def run(options: Namespace, output: Output) -> int:
    """Print the packets of the captures, and return the exit status."""
    if options.quiet:
        return _read_quietly(options, output)
    if options.trees:
        from analyzer.cli.packet import print_all

        return print_all(options, output)
    if options.time_format is not None and options.style is None and options.columns is None:
        options.columns = ["number", "time", "source", "destination", "protocol", "length", "info"]
    if options.style is not None or options.columns is not None:
        from analyzer.cli.header_field_rows import run as run_fields

        return run_fields(options, output)
    if options.row_fields:
        raise CommandError("-e names fields, which -T fields, -T json and -T ek print: add one of them")
    from analyzer.cli.packet_list import PacketList
    from analyzer.engine import Engine

    capture_run = CaptureRun(options.captures, output, streaming=True)
    keys = read_keys(options, capture_run, patient=False)
    compiled = filter_of(options)
    engine = Engine(detailed=True, places=compiled is not None, reads_data=False, in_order=False, compares=False, **keys)
    places = capture_run.reader.places
    part = capture_run.part = part_of(options)
    if compiled is not None and part is None:
        from analyzer.cli.filtered_frames import quick_matches, run_connections, say_why

        matches = quick_matches(options, output, keys)
        if matches is not None:
            lists = [PacketList(one, engine, places, _passed(matches)) for one in options.outputs]
            if keys["keylog"] is not None or keys["private_keys"] or keys["psks"]:  # a resumed session needs one before it
                capture_run.run(engine, lists)
            else:
                run_connections(capture_run, engine, lists, matches)
            say_what_was_given_up(compiled)
            if not matches.n_frames:
                say_why(options, output, keys, compiled)
            _print_legend(options)
            return capture_run.status()
    wanted = None
    if part is not None:
        from analyzer.cli.part_frames import frames_of

        wanted = frames_of(part, options, output, keys)
    passes = None
    if compiled is not None:
        from analyzer.cli.filtered_frames import frame_filter

        passes = frame_filter(compiled, options, output, keys, engine)
    lists = [PacketList(one, engine, places, wanted, passes) for one in options.outputs]
    capture_run.run(engine, lists)
    _print_legend(options)
    if compiled is not None:
        say_what_was_given_up(compiled)
    if passes is not None and not passes.n_passed:
        passes.say_why(options, output, keys)
    return capture_run.status()


def _read_quietly(options: Namespace, output: Output) -> int:
    """Read the captures, print no rows, and return the exit status."""
    capture_run = CaptureRun(options.captures, output)
    for reader in capture_run.packet_readers():
        while reader.advance():
            pass
    return capture_run.status()


def _print_legend(options: Namespace) -> None:
    if options.color_legend:
        from analyzer.cli.color_legend import print_legend

        for output in options.outputs:
            if output.form == "text":
                print_legend(output)


def _passed(matches: "Matches") -> "Wanted":
    """Return what tells the frames that passed a filter before."""
    return lambda _, frame: matches.has_frame(frame.number)
