"""The grammar of filters (`filter_grammar.lark`), and the parser that builds the tree of `syntax_tree`.

It follows the wireshark-filter manual of Wireshark 4.6, and its program where the manual is silent: precedence from `not` over
`and` and `xor` to `or`; `&` binds weaker than sums; parentheses group tests, braces group arithmetic; only a field can be `in`
a set; `contains` and `matches` are not chained. The parser is LALR(1), so its time is linear in the length. It takes 50 ms to
import and build, so `filter_parser` reads the plainest filters without it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.lexer import Lexer

from analyzer.filters.field import FieldTable
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_lexer import TokenValue, lexemes, unknown_field
from analyzer.filters.syntax_tree import (
    Call,
    Character,
    Comparison,
    Entity,
    Exists,
    FieldUse,
    Logic,
    Membership,
    Negation,
    Negative,
    Node,
    Number,
    Operation,
    Reference,
    Search,
    Slice,
    String,
    Test,
    Word,
)

MAX_DEPTH = 150
"""How deeply parentheses, functions and operators may be nested; a level takes a few frames of Python's stack of 1000."""

_LAST_WORD = re.compile(r"[\w.:-]+$")


class _Token(Token):
    """A token of the parser that keeps what the lexer found in it."""

    meaning: TokenValue


class _Given(Lexer):
    """The lexer of the parser: the tokens are given to it."""

    def __init__(self, _: object) -> None:
        pass

    def lex(self, data: Iterator[Token]) -> Iterator[Token]:  # type: ignore[override]
        return data


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Builds the nodes while the parser reduces."""

    def start(self, test: Test | None) -> Test | None:
        return test

    def or_test(self, *parts: Test | Token) -> Test:
        return _logic("or", parts)

    def xor_test(self, *parts: Test | Token) -> Test:
        return _logic("xor", parts)

    def and_test(self, *parts: Test | Token) -> Test:
        return _logic("and", parts)

    def negation(self, sign: Token, of: Test) -> Test:
        return Negation(*_around(sign, of), of)

    def group(self, opening: Token, inside: Any, closing: Token | None = None) -> Any:
        at, end, depth = _around(opening, inside, closing or inside)
        return inside.changed(at=at, end=end, depth=depth)

    def exists(self, of: Entity) -> Test:
        return Exists(*_around(of), of)

    def quantified(self, quantifier: Token, relation: Comparison | Search | Membership) -> Test:
        at, end, depth = _around(quantifier, relation)
        return relation.changed(at=at, end=end, depth=depth, quantifier=str(quantifier))

    def comparison(self, *parts: Any) -> Test:
        return Comparison(*_around(*parts), None, parts[::2], tuple(one.meaning for one in parts[1::2]))

    def search(self, left: Entity, sign: _Token, right: Entity) -> Test:
        return Search(*_around(left, right), None, sign.type.lower(), left, right)

    def membership(self, member: Entity, no: Token | None, *rest: Any) -> Test:
        elements = rest[2:-1:2]
        inside = [one for element in elements for one in (element if isinstance(element, tuple) else (element,))]
        return Membership(*_around(member, *inside, rest[-1]), None, no is not None, member, elements)

    def span(self, low: Entity, _: Token, high: Entity) -> tuple[Entity, Entity]:
        return low, high

    def operation(self, left: Entity, sign: Token, right: Entity) -> Entity:
        return Operation(*_around(left, right), "&" if sign.type == "BITAND" else str(sign), left, right)

    def negative(self, sign: Token, of: Entity) -> Entity:
        return Negative(*_around(sign, of), of)

    def number(self, token: _Token) -> Entity:
        return Number(*_around(token), str(token), token.meaning)  # type: ignore[arg-type]

    def string(self, token: _Token) -> Entity:
        return String(*_around(token), token.meaning)  # type: ignore[arg-type]

    def character(self, token: _Token) -> Entity:
        return Character(*_around(token), str(token), token.meaning)  # type: ignore[arg-type]

    def word(self, token: _Token) -> Entity:
        return Word(*_around(token), str(token))

    def field(self, sign: Token | None, name: _Token, layers: _Token | None) -> FieldUse:
        at, end, depth = _around(*(one for one in (sign, name, layers) if one is not None))
        parts = layers.meaning if layers is not None else None
        return FieldUse(at, end, depth, name.meaning, sign is not None, parts)  # type: ignore[arg-type]

    def reference(self, sign: Token, use: FieldUse, closing: Token | None = None) -> Entity:
        return Reference(*_around(sign, use, closing or use), use)

    def call(self, name: Token, *rest: Any) -> Entity:
        arguments = tuple(one for one in rest[1:-1] if one is not None and not isinstance(one, Token))
        return Call(*_around(name, *arguments, rest[-1]), str(name), arguments)

    def slice(self, of: Entity, parts: _Token) -> Entity:
        return Slice(*_around(of, parts), of, parts.meaning)  # type: ignore[arg-type]


def parse_all(text: str, table: FieldTable) -> Test | None:
    """Return the tree of a filter, whose fields are those of the table; None for an empty filter, which every packet passes.

    Raises FilterError, with the place, where the text is no filter.
    """
    try:
        found: Test | None = _parser().parse(_tokens(text, table))  # type: ignore[assignment]
    except UnexpectedToken as error:
        raise _refused(error.token, text, table) from None
    return found


@cache
def _parser() -> Lark:
    return Lark.open(
        "filter_grammar.lark", rel_to=__file__, parser="lalr", lexer=_Given, transformer=_Builder(), maybe_placeholders=True
    )


def _tokens(text: str, table: FieldTable) -> Iterator[Token]:
    for lexeme in lexemes(text, table):
        token = _Token(lexeme.kind, lexeme.text, start_pos=lexeme.at, end_pos=lexeme.at + len(lexeme.text))
        token.meaning = lexeme.value
        yield token


def _refused(token: Token, text: str, table: FieldTable) -> FilterError:
    if token.type == "$END":
        return FilterError("the filter ends too early", len(text.rstrip()), 1)
    at = token.start_pos or 0
    before = text[:at].rstrip()
    if token.type == "WORD" and before.endswith(("@", "$", "${")):
        return unknown_field(str(token), at, table)
    name = _LAST_WORD.search(before) if token.type == "LAYERS" else None
    if name is not None:
        return unknown_field(name.group(), name.start(), table)
    hint: tuple[str, ...] = ()
    if str(token).lower() != str(token) and token.type == "WORD":
        hint = (str(token).lower(),)
    return FilterError(f"{token} is not expected here", at, len(token), hint)


def _around(*parts: Any) -> tuple[int, int, int]:
    """Return place and depth of a node that these are the parts of."""
    depth = 1 + max((one.depth for one in parts if isinstance(one, Node)), default=0)
    first, last = parts[0], parts[-1]
    at: int = first.at if isinstance(first, Node) else first.start_pos
    end: int = last.end if isinstance(last, Node) else last.end_pos
    if depth > MAX_DEPTH:
        raise FilterError(f"the filter is nested too deeply: more than {MAX_DEPTH} levels", at, end - at)
    return at, end, depth


def _logic(operator: str, parts: tuple[Test | Token, ...]) -> Test:
    tests = tuple(one for one in parts if isinstance(one, Node))
    return Logic(*_around(*tests), operator, tests)
