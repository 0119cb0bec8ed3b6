"""How rows of fields look: the settings of `-E`, and a row of `-T fields` in them, as tshark 4.6 prints it.

Without quotes, a backslash and the separator in a value have a backslash before them, and tabs and ends of lines are `\\t` and
`\\n`. With quotes, a quote in a value is doubled.
"""

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.cli.output import CommandError

_NAMES = {"/t": "\t", "/s": " "}
_SPACES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f", "\b": "\\b", "\a": "\\a"}
_QUOTES = {"d": '"', "s": "'", "n": ""}
_YES_NO = {"y": True, "n": False}
_CHOICES = {
    "bom": "y|n",
    "header": "y|n",
    "separator": "/t|/s|C",
    "occurrence": "f|l|a",
    "aggregator": ",|/s|C",
    "quote": "d|s|n",
    "escape": "y|n",
}


@dataclass
class FieldForm:
    """The settings of `-E`, as tshark has them without the option."""

    header: bool = False
    bom: bool = False
    escape: bool = True
    separator: str = "\t"
    aggregator: str = ","
    quote: str = ""
    occurrence: str = "a"

    def __post_init__(self) -> None:
        self._table: dict[int, str] = {}
        self.prepare()

    def prepare(self) -> None:
        """Make ready what `row` needs, after settings were changed."""
        table = dict(_SPACES) if self.escape else {}
        if self.quote:
            if self.escape:
                table["\\"] = "\\\\"
            table[self.quote] = 2 * self.quote
        else:
            table["\\"] = "\\\\"
            if self.separator not in table:
                table[self.separator] = "\\" + self.separator
        self._table = str.maketrans(table)

    def head(self, names: Iterable[str]) -> bytes:
        """Return what stands before the first row: the mark of UTF-8, and the names of the fields, where they are wanted."""
        mark = codecs.BOM_UTF8 if self.bom else b""
        return mark + (self.separator.join(names) + "\n").encode() if self.header else mark

    def leaves(self, *texts: str) -> bool:
        """Return whether no character of some texts is changed in a row, and the characters between them are ASCII."""
        kept = all(text.translate(self._table) == text for text in texts)
        return kept and (self.separator + self.aggregator + self.quote).isascii()

    def chosen(self, texts: list[str]) -> list[str]:
        """Return those of the values of one field that are shown."""
        if len(texts) < 2 or self.occurrence == "a":
            return texts
        return texts[:1] if self.occurrence == "f" else texts[-1:]

    def row(self, cells: Sequence[list[str]]) -> str:
        """Return a row, from the values of each field, without the end of the line."""
        table, quote, shown = self._table, self.quote, []
        for texts in cells:
            if not texts:
                shown.append("")
                continue
            text = texts[0] if len(texts) == 1 else self.aggregator.join(self.chosen(texts))
            shown.append(f"{quote}{text.translate(table)}{quote}" if quote or not text.isalnum() else text)
        return self.separator.join(shown)


def form_of(settings: Iterable[str]) -> FieldForm:
    """Return the form that these settings (`header=y`, or several with commas between them) make. Raises CommandError."""
    form = FieldForm()
    for setting in settings:
        for name, value in _pairs(setting):
            _set(form, name, value)
    form.prepare()
    return form


def _pairs(setting: str) -> list[tuple[str, str]]:
    """Return the names and values in one `-E`: `separator=,,quote=d` has two, because the first value is a comma."""
    found: list[tuple[str, str]] = []
    rest = setting
    while rest:
        name, sign, behind = rest.partition("=")
        if not sign or name not in _CHOICES:
            known = " ".join(f"{name}={value}" for name, value in _CHOICES.items())
            raise CommandError(f"-E {setting}: no such setting; they are {known}")
        end = behind.find(",", 1) if behind.startswith(",") else behind.find(",")
        if end >= 0 and behind[end + 1 :].partition("=")[0] not in _CHOICES:
            end = -1
        value, rest = (behind, "") if end < 0 else (behind[:end], behind[end + 1 :])
        found.append((name, value))
    return found


def _set(form: FieldForm, name: str, value: str) -> None:
    if name in ("bom", "header", "escape") and value.lower() in _YES_NO:
        setattr(form, name, _YES_NO[value.lower()])
    elif name in ("separator", "aggregator") and value:
        setattr(form, name, _NAMES.get(value, value[0]))
    elif name == "occurrence" and value in ("f", "l", "a"):
        form.occurrence = value
    elif name == "quote" and value in _QUOTES:
        form.quote = _QUOTES[value]
    else:
        raise CommandError(f"-E {name}={value}: the values are {_CHOICES[name]}")
