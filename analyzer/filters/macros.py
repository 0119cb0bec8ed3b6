"""Macros: names for texts, which are put in their place before a filter is parsed (wireshark-filter, "Macros").

A macro is called as `$name(a, b)`, `${name:a;b}` or `${name}`; `$1` in its text is the first argument. The replacement is
textual and recursive. Inside double quotes nothing is replaced. `$field` and `${proto.field}` are field references and stay as
they are.
"""

import re
from collections.abc import Iterator, Mapping

from analyzer.filters.field import FieldTable
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_parser import MAX_LENGTH

MAX_MACRO_DEPTH = 20
"""How deeply a macro can use other macros; one that uses itself ends here."""
MAX_CALLS = 10_000
"""How many calls one filter can have, those in the texts of macros too: a short file could ask for any number."""
MAX_MACROS_FILE = 1 << 20
"""The largest file of macros that is read, in bytes."""

_NAME = r"[A-Za-z0-9_]+"
_PIECE = re.compile(
    rf"""[rR]?"(?:[^"\\]|\\.)*"?
    |'(?:[^'\\]|\\.)*'
    |\$(?P<called>{_NAME})\(
    |\$\{{(?P<braced>{_NAME})(?P<mark>[:;}}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ARGUMENT = re.compile(r"\$([0-9]{1,9})")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LINE = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(.*)')


def macros_of(text: str) -> dict[str, str]:
    """Return the macros of a file in the form of Wireshark's `dmacros`: a name in double quotes and a text, one a line.

    Raises ValueError, which names the line, where one has another form.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise ValueError(f'line {number}: expected "name" and its text')
        name = parts.group(1)
        if not re.fullmatch(_NAME, name):
            raise ValueError(f"line {number}: {name} is no name of a macro: letters, digits and _")
        found[name] = parts.group(2).strip()
    return found


def expanded(text: str, macros: Mapping[str, str], table: FieldTable) -> str:
    """Return a filter with its macros replaced; raise FilterError for an unknown macro, or a wrong number of arguments."""
    if "$" not in text:
        return text
    return "".join(_expanded(text, macros, table, MAX_MACRO_DEPTH, iter(range(MAX_CALLS))))


def _expanded(text: str, macros: Mapping[str, str], table: FieldTable, depth: int, calls: Iterator[int]) -> Iterator[str]:
    """Yield the pieces of an expanded text. calls: has an element for each call that may still be replaced."""
    at = 0
    written = 0
    while (found := _PIECE.search(text, at)) is not None:
        name = found["called"] or found["braced"]
        yield text[at : found.start()]
        if name is None:
            yield found.group()
            at = found.end()
            continue
        end, arguments = _arguments(text, found)
        if name not in macros:
            known = [one for one in macros if one.lower() == name.lower()]
            field = table.get(name)
            hint = (f"${name}",) if field is not None else tuple(known)
            raise FilterError(f"there is no macro {name}", found.start(), end - found.start(), hint)
        if depth == 0:
            raise FilterError(f"the macro {name} uses itself, or macros are nested too deeply", found.start(), len(name) + 1)
        if next(calls, None) is None:
            raise FilterError(f"macros are called more than {MAX_CALLS} times", found.start(), len(name) + 1)
        filled = _filled(name, macros[name], arguments, found.start())
        try:
            whole = "".join(_expanded(filled, macros, table, depth - 1, calls))
        except FilterError as error:  # its place is one in the text of the macro, which nobody sees
            error.at, error.length = found.start(), end - found.start()
            raise
        written += len(whole)
        if written > MAX_LENGTH:
            raise _too_long(name, found.start())
        yield whole
        at = end
    yield text[at:]


def _arguments(text: str, found: re.Match[str]) -> tuple[int, list[str]]:
    """Return where a call ends, and its arguments, which commas or semicolons separate."""
    if found["mark"] == "}":
        return found.end(), []
    closing = "}" if found["braced"] else ")"
    arguments = [""]
    at, depth = found.end(), 0
    while at < len(text):
        quoted = _QUOTED.match(text, at)
        piece = quoted.group() if quoted else text[at]
        at += len(piece)
        if piece == closing and depth == 0:
            return at, [one.strip() for one in arguments] if arguments != [""] else []
        depth += (piece in "({") - (piece in ")}")
        if piece in ",;" and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += piece
    raise FilterError(f"the call of a macro is not closed by {closing}", found.start(), found.end() - found.start())


def _filled(name: str, body: str, arguments: list[str], at: int) -> str:
    numbers = [int(number) for number in _ARGUMENT.findall(body)]
    wanted = max(numbers, default=0)
    if wanted != len(arguments):
        raise FilterError(f"the macro {name} takes {wanted} arguments, and not {len(arguments)}", at, len(name) + 1)
    if sum(len(arguments[number - 1]) for number in numbers if number) > MAX_LENGTH:
        raise _too_long(name, at)
    return _ARGUMENT.sub(lambda found: arguments[int(found.group(1)) - 1] if int(found.group(1)) else found.group(), body)


def _too_long(name: str, at: int) -> FilterError:
    return FilterError(f"with its macros the filter has more than {MAX_LENGTH} characters", at, len(name) + 1)
