"""The rows of `-T fields` where all that is asked for is in headers: they are written without a Python object for each value.

What needs more goes through `field_rows`.
"""

from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.display_filter import filter_of
from analyzer.cli.field_form import form_of
from analyzer.cli.filter_options import mistake
from analyzer.cli.interruption import Interruption
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.tshark_arguments import PACKET_LISTS
from analyzer.filters.header_columns import header_column
from analyzer.filters.header_filter import header_test
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.header_rows import ALL, ALPHABET, FIRST, LAST, HeaderRows, add_rows
from analyzer.packet.header_tests import HeaderTest
from analyzer.packet.layer_places import LayerPlaces

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field_columns import FieldColumns

_BUFFER = 1 << 16
"""Bytes of rows that are written at once."""


def run(options: Namespace, output: Output) -> int:
    """Print the fields of the packets of the captures, in any way that finds them, and return the exit status."""
    columns, compiled = columns_of(options), filter_of(options)
    quick = None if part_of(options) is not None else quick_rows(options, columns, compiled)
    if quick is None:
        from analyzer.cli.field_rows import run as run_any

        return run_any(options, output, columns)
    capture_run = CaptureRun(options.captures, output, streaming=True)
    for one in options.outputs:
        one.head = form_of(options.row_settings).head(columns.names)
    write_rows(capture_run, options.outputs, *quick)
    return capture_run.status()


def columns_of(options: Namespace) -> "FieldColumns":
    """Return the columns that `-e` or `--columns` names. Raises CommandError for one that is no field and no expression."""
    from analyzer.filters.field_columns import FieldColumns
    from analyzer.filters.field_table import field_table
    from analyzer.filters.filter_error import FilterError

    if options.style is not None and options.format not in (None, "text", options.style):
        raise CommandError(f"-T {options.style} says how rows are written: leave --format {options.format} out, or -T")
    if not options.row_fields and options.style == "fields":
        raise CommandError("-T fields prints the fields that -e names: give at least one, such as -e frame.number")
    names = options.row_fields
    if options.columns is not None or options.style in PACKET_LISTS:
        from analyzer.cli.packet_columns import LISTED, asked_for

        names = asked_for(list(LISTED) if options.columns is None else options.columns)
    try:
        return FieldColumns(names, field_table())
    except FilterError as error:
        raise mistake(error, of_field=True) from None


def quick_rows(
    options: Namespace, columns: "FieldColumns", compiled: "CompiledFilter | None"
) -> tuple[HeaderRows, HeaderTest] | None:
    """Return what writes rows of `-T fields` from headers alone, and the filter of headers; None if more is needed for them."""
    form = form_of(options.row_settings)
    if options.style != "fields" or options.columns is not None or not form.leaves(ALPHABET, form.aggregator):
        return None
    fields = columns.plain_fields
    found = [header_column(field) for field in fields]
    shown = tuple(one for one in found if one is not None)
    test = None if compiled is not None and compiled.reference_fields else header_test(compiled.tree if compiled else None)
    if test is None or len(shown) < len(columns.names):
        return None
    occurrence = {"a": ALL, "f": FIRST, "l": LAST}[form.occurrence]
    return HeaderRows(shown, ord(form.separator), ord(form.aggregator), ord(form.quote or "\0"), occurrence), test


def write_rows(capture_run: CaptureRun, outputs: Sequence[Output], rows: HeaderRows, test: HeaderTest) -> None:
    """Write the rows of the frames that pass a filter of headers."""
    layers, defragmenter = LayerPlaces(), Defragmenter()
    layers.kinds = rows.kinds() | test.kinds()
    with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
        for reader in readers:
            more = True
            while more:
                more = add_rows(reader, layers, test, defragmenter, rows, _BUFFER)
                for output in outputs if rows.out else ():
                    output.write(bytes(rows.out))
                rows.out.clear()
            for output in outputs:
                output.flush()
