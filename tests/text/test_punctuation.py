import ast

import pytest
from sentences import trees
from wording import MARKS_IN_CODE

from analyzer.text.language import speaking
from analyzer.text.punctuation import apart, beside, clauses, labelled, listing

_MARKS = (",", ";", ":", "(")
_ERRORS = {"CommandError", "complain"}


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("en", ["a, b", "a, b, c", "a; b", "a (b)", "a", "a: b"]),
        ("zh", ["a\u3001b", "a\uff0cb\uff0cc", "a\uff1bb", "a\uff08b\uff09", "a", "a\uff1ab"]),
    ],
)
def test_the_marks_are_those_of_the_language(language: str, texts: list[str]):
    with speaking(language):
        written = [listing(["a", "b"]), clauses("a", "", "b", "c"), apart(["a", "b"]), beside("a", "b"), beside("a", "")]
        assert [*written, labelled("a", "b")] == texts
        assert clauses() == ""


def marks_in_code(tree: ast.Module) -> list[int]:
    """The lines of code that puts a mark between two texts itself. Errors are told again as whole sentences, so they may."""
    errors = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _ERRORS]
    told_again = {id(part) for error in errors for part in ast.walk(error)}
    return [
        getattr(node, "lineno", 0)
        for node in ast.walk(tree)
        if id(node) not in told_again and (_joins_with_a_mark(node) or _writes_a_mark(node))
    ]


def _joins_with_a_mark(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "join":
        return False
    mark = node.func.value
    return isinstance(mark, ast.Constant) and isinstance(mark.value, str) and mark.value.strip() in _MARKS


def _writes_a_mark(node: ast.AST) -> bool:
    if not isinstance(node, ast.JoinedStr):
        return False
    between = [part.value for part in node.values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(text.strip().startswith(_MARKS) and " " in text and not any(map(str.isalpha, text)) for text in between)


@pytest.mark.parametrize(
    "source",
    ['", ".join(names)', 'f"{name}: {size}"', 'f"{name} ({size})"', 'f"{name}, {size}"', 'size = f", {n}"', '"; ".join(parts)'],
)
def test_a_mark_between_texts_is_found(source: str):
    assert marks_in_code(ast.parse(source)) == [1]


@pytest.mark.parametrize("source", ['" ".join(names)', 'f"{host}:{port}"', 'complain(f"{path}: {why}")', 'f"{name} {size}"'])
def test_other_code_is_not(source: str):
    assert marks_in_code(ast.parse(source)) == []


def test_no_code_for_people_writes_its_own_marks():
    found = {path.name for path, tree in trees("cli", "text") if marks_in_code(tree)}
    assert found - set(MARKS_IN_CODE) == set()
    assert set(MARKS_IN_CODE) - found == set()
