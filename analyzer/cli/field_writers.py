"""Writes the rows of `-T fields`, `-T json`, `-T ek`, `-T text`, `-T tabs` and `-T psml`, each as tshark 4.6 does.

Characters that control a terminal, or that show text as other text, are escapes in rows: `\\x1b`. With `-E escape=n`, rows
that do not go to a terminal keep them. JSON has its own escapes.
"""

import json
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any

from analyzer import __version__
from analyzer.capture.frame import Frame
from analyzer.cli.field_form import FieldForm, form_of
from analyzer.cli.output import Output
from analyzer.text.escape import harmless, is_harmless

if TYPE_CHECKING:
    from analyzer.filters.field_columns import FieldColumns
    from analyzer.filters.field_layers import FieldLayers
    from analyzer.filters.packet_values import PacketValues

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000


class RowWriter:
    """Writes rows to one output: this one as `-T fields`."""

    def __init__(self, output: Output, form: FieldForm, names: Sequence[str], layers: "FieldLayers | None" = None) -> None:
        """names: of the fields, one for each column. layers: make what is written where no field is named."""
        self._layers = layers
        self._output = output
        self._form = form
        self._names = names
        self._raw = not form.escape and not output.terminal
        self.begin()

    def begin(self) -> None:
        """Set what stands before the first row, even where there is none."""
        self._output.head = self._form.head(self._names)

    def row(self, frame: Frame, texts: Sequence[list[str]], packet: "PacketValues") -> None:
        """Write the row of a frame. texts: the values of each field; packet: those of all fields."""
        if not self._raw:
            texts = [[one if is_harmless(one) else _shown(one) for one in values] for values in texts]
        self._output.write(self._form.row(texts).encode("utf-8", "replace") + b"\n")

    def _named(self, texts: Sequence[list[str]]) -> dict[str, list[str]]:
        """Return the fields of a frame that it has, each with its values."""
        chosen = self._form.chosen
        return {name: chosen(values) for name, values in zip(self._names, texts, strict=True) if values}

    def flush(self) -> None:
        """Give the reader of the output what was written."""
        self._output.flush()

    def close(self) -> None:
        """Write what stands behind the last row."""


class JsonWriter(RowWriter):
    """Writes an array of objects: `-T json`."""

    def begin(self) -> None:
        """See `RowWriter.begin`."""
        self._output.head = b"["
        self._empty = True

    def row(self, frame: Frame, texts: Sequence[list[str]], packet: "PacketValues") -> None:
        """See `RowWriter.row`."""
        layers: Any = self._named(texts) if self._layers is None else self._layers.tree(packet)
        found = {"_index": _index(frame), "_score": None, "_source": {"layers": layers}}
        text = json.dumps(found, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        self._output.write((b"\n  " if self._empty else b",\n  ") + text.encode("utf-8", "replace"))
        self._empty = False

    def close(self) -> None:
        """See `RowWriter.close`."""
        self._output.write(b"]\n" if self._empty else b"\n]\n")


class EkWriter(RowWriter):
    """Writes two lines for each frame, for the bulk interface of Elasticsearch: `-T ek`."""

    def begin(self) -> None:
        """See `RowWriter.begin`."""
        self._names = [name.replace(".", "_") for name in self._names]

    def row(self, frame: Frame, texts: Sequence[list[str]], packet: "PacketValues") -> None:
        """See `RowWriter.row`."""
        head = {"index": {"_index": _index(frame)}}
        layers: Any = self._named(texts) if self._layers is None else self._layers.bulk(packet)
        time = str(frame.at // _MILLISECOND) if frame.at >= 0 else "0"
        found = {"timestamp": time, "layers": layers}
        lines = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in (head, found))
        self._output.write("".join(lines).encode("utf-8", "replace"))


class LineWriter(RowWriter):
    """Writes the line of the packet list of tshark for each frame: `-T text`."""

    between = " "

    def begin(self) -> None:
        """See `RowWriter.begin`."""

    def row(self, frame: Frame, texts: Sequence[list[str]], packet: "PacketValues") -> None:
        """See `RowWriter.row`."""
        number, time, source, destination, *others = (harmless("".join(values)) for values in texts)
        line = (f"{number:>5}", f"{time:>8}", f"{source:>12}", "\N{RIGHTWARDS ARROW}", f"{destination:<12}", *others)
        self._output.line(self.between.join(line))


class TabWriter(LineWriter):
    """Writes the same with tabs between the columns: `-T tabs`."""

    between = "\t"


class PsmlWriter(RowWriter):
    """Writes the packet list as XML: `-T psml`."""

    def begin(self) -> None:
        """See `RowWriter.begin`."""
        titles = b"".join(b"<section>%s</section>\n" % title for title in _TITLES)
        self._output.head = _PSML % (__version__.encode(), titles)

    def row(self, frame: Frame, texts: Sequence[list[str]], packet: "PacketValues") -> None:
        """See `RowWriter.row`."""
        sections = "".join(f"<section>{escape(harmless(''.join(values)), quote=False)}</section>\n" for values in texts)
        self._output.write(f"<packet>\n{sections}</packet>\n\n".encode("utf-8", "replace"))

    def close(self) -> None:
        """See `RowWriter.close`."""
        self._output.write(b"</psml>\n")


_TITLES = (b"No.", b"Time", b"Source", b"Destination", b"Protocol", b"Length", b"Info")

_PSML = b"""<?xml version="1.0" encoding="utf-8"?>
<psml version="0" creator="analyzer/%s">
<structure>
%s</structure>

"""

_WRITERS: dict[str, type[RowWriter]] = {
    "fields": RowWriter, "json": JsonWriter, "ek": EkWriter, "text": LineWriter, "tabs": TabWriter, "psml": PsmlWriter,
}  # fmt: skip


def row_writer(options: Namespace, columns: "FieldColumns", layers: "FieldLayers | None", output: Output) -> RowWriter:
    """Return what writes the rows to an output, as -T and -E say. Raises CommandError for a setting of -E that is none."""
    return _WRITERS[options.style](output, form_of(options.row_settings), columns.names, layers)


def _index(frame: Frame) -> str:
    """Return the name of the index of Elasticsearch: one for each day."""
    try:
        day = datetime.fromtimestamp(max(frame.at, 0) // _SECOND, UTC)
    except (OverflowError, OSError, ValueError):  # beyond the year 9999
        return "packets"
    return f"packets-{day:%Y-%m-%d}"


def _shown(text: str) -> str:
    """Return a text whose characters are harmless; those for which a row has escapes of its own stay."""
    return "".join(one if one in _OWN_ESCAPES else harmless(one) for one in text)


_OWN_ESCAPES = "\t\n\r\v\f\b\a"
