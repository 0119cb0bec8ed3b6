"""Text to the tree of `syntax_tree`: the plainest filters at once, all others through the grammar.

Most filters are a few comparisons of a field with a literal, joined by `and` and `or`. These need no grammar, whose parser
takes longer to build than many captures take to read. Here they get the very tree that the grammar gives them. Whatever else
there is (parentheses, chains, functions, slices, layers, mistakes) is left to the grammar.
"""

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_lexer import Lexeme, lexemes
from analyzer.filters.syntax_tree import (
    Character,
    Comparison,
    Exists,
    FieldUse,
    Literal,
    Logic,
    Membership,
    Negation,
    Number,
    String,
    Test,
    Word,
)

MAX_LENGTH = 1 << 18
"""The longest filter, in characters: several times a list of a thousand addresses."""

_JOINS = ("OR", "XOR", "AND")
"""The words that join tests, from the one that binds least."""


def parse(text: str, table: FieldTable) -> Test | None:
    """Return the tree of a filter, whose fields are those of the table; None for an empty filter, which every packet passes.

    Raises FilterError, with the place, where the text is no filter.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(f"the filter has {len(text)} characters, and at most {MAX_LENGTH} are read", MAX_LENGTH, 1)
    found = parse_plain(text, table)
    if found is not None:
        return found
    from analyzer.filters.grammar_parser import parse_all

    return parse_all(text, table)


def parse_plain(text: str, table: FieldTable) -> Test | None:
    """Return the tree of a filter that needs no grammar; None for any other, and for what is no filter."""
    try:
        found = list(lexemes(text, table))
    except FilterError:
        return None  # there may be another mistake before
    try:
        return _joined(found, 0)
    except _NotPlainError:
        return None


class _NotPlainError(Exception):
    """The filter has something in it that needs the grammar."""


def _joined(found: list[Lexeme], level: int) -> Test:
    """Return tests that are joined by the words of one level or of those that bind more; they are all these tokens."""
    if level == len(_JOINS):
        return _test(found)
    parts = [_joined(part, level + 1) for part in _divided(found, _JOINS[level])]
    if len(parts) == 1:
        return parts[0]
    return Logic(parts[0].at, parts[-1].end, 1 + max(part.depth for part in parts), _JOINS[level].lower(), tuple(parts))


def _divided(found: list[Lexeme], kind: str) -> list[list[Lexeme]]:
    parts: list[list[Lexeme]] = [[]]
    for lexeme in found:
        if lexeme.kind == kind:
            parts.append([])
        else:
            parts[-1].append(lexeme)
    return parts


def _test(found: list[Lexeme]) -> Test:
    """Return one test: a field, compared or in a set, perhaps with a `not`."""
    kinds = [lexeme.kind for lexeme in found]
    if kinds[:1] == ["NOT"]:
        if kinds[1:2] == ["NOT"]:
            raise _NotPlainError
        of = _test(found[1:])
        return Negation(found[0].at, of.end, 1 + of.depth, of)
    if kinds[:1] != ["FIELD"]:
        raise _NotPlainError
    field = _field(found[0])
    if len(found) == 1:
        return Exists(field.at, field.end, 2, field)
    if len(found) == 3 and kinds[1] == "COMPARE":
        right = _operand(found[2])
        return Comparison(field.at, right.end, 2, None, (field, right), (str(found[1].value),))
    if kinds[1:3] != ["IN", "LBRACE"] or kinds[-1] != "RBRACE":
        raise _NotPlainError
    elements = tuple(map(_element, _divided(found[3:-1], "COMMA")))
    return Membership(field.at, _end(found[-1]), 2, None, False, field, elements)


def _element(found: list[Lexeme]) -> FieldUse | Literal | tuple[FieldUse | Literal, FieldUse | Literal]:
    if len(found) == 3 and found[1].kind == "DOTS":
        return _operand(found[0]), _operand(found[2])
    if len(found) != 1:
        raise _NotPlainError
    return _operand(found[0])


def _operand(lexeme: Lexeme) -> FieldUse | Literal:
    value = lexeme.value
    if lexeme.kind == "FIELD":
        return _field(lexeme)
    if lexeme.kind == "NUMBER" and isinstance(value, int | float):
        return Number(lexeme.at, _end(lexeme), 1, lexeme.text, value)
    if lexeme.kind == "STRING" and isinstance(value, bytes):
        return String(lexeme.at, _end(lexeme), 1, value)
    if lexeme.kind == "CHARACTER" and isinstance(value, int):
        return Character(lexeme.at, _end(lexeme), 1, lexeme.text, value)
    if lexeme.kind == "WORD":
        return Word(lexeme.at, _end(lexeme), 1, lexeme.text)
    raise _NotPlainError


def _field(lexeme: Lexeme) -> FieldUse:
    if not isinstance(lexeme.value, Field):
        raise _NotPlainError
    return FieldUse(lexeme.at, _end(lexeme), 1, lexeme.value, False, None)


def _end(lexeme: Lexeme) -> int:
    return lexeme.at + len(lexeme.text)
