"""Collects all English prose of the code: what a person may read, however it reaches the screen, a page or a record.

A string is prose if two words stand beside each other in it. Docstrings are not collected. Values in an f-string become fields,
as `retold` knows them. A value that is itself one of two texts (`"" if n == 1 else ", and more"`) is put into its sentence, so
each whole sentence is collected, not its parts.
"""

import ast
import re
from collections.abc import Iterator
from itertools import product

from sentences import FIELD, PACKAGE, trees

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TWO_WORDS = re.compile(r"[A-Za-z][a-z'-]*[,:;]? (?:\{\}|[a-z0-9(])")
_MOST_FORMS = 16

Env = dict[str, list[ast.expr]]
"""What is assigned to the names of a function."""


def plain(text: str) -> str:
    """A sentence without the names of its fields."""
    return FIELD.sub("{}", text).strip()


def prose() -> dict[str, str]:
    """The prose of the package, with the place of one: room, file and line."""
    found: dict[str, str] = {}
    for path, tree in trees():
        for line, text in _in_file(tree):
            found.setdefault(text, f"{path.relative_to(PACKAGE)}:{line}")
    return found


def prose_of(source: str) -> list[str]:
    """The prose of one source."""
    return [text for _, text in _in_file(ast.parse(source))]


def _in_file(tree: ast.Module) -> Iterator[tuple[int, str]]:
    env: Env = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            env.setdefault(node.targets[0].id, []).append(node.value)
    skipped: set[int] = set()
    texts: list[tuple[ast.AST, list[str]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "count_text":
            skipped.update(map(id, node.args))  # `counted` collects them
        elif isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
            texts.append((node, _forms(node, env, skipped)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append((node, [node.value]))
    for node, forms in texts:
        if id(node) not in skipped:
            for form in forms:
                if _TWO_WORDS.search(plain(form)):
                    yield getattr(node, "lineno", 0), form


def _forms(node: ast.JoinedStr, env: Env, skipped: set[int]) -> list[str]:
    """The sentences that an f-string can be. The nodes of texts that were put into it are added to `skipped`."""
    choices = [_choices(part, env, skipped) for part in node.values]
    return [_lettered("".join(one)) for _, one in zip(range(_MOST_FORMS), product(*choices), strict=False)]


def _choices(part: ast.expr, env: Env, skipped: set[int]) -> list[str]:
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    value = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(value, ast.Name):
        values = [one for one in env.get(value.id, ()) if isinstance(one, ast.IfExp)]
        value = values[0] if len(values) == 1 and _is_optional(values[0]) else value
    if isinstance(value, ast.IfExp):
        branches = (value.body, value.orelse)
        if _is_optional(value):
            skipped.update(id(node) for branch in branches for node in ast.walk(branch))
            return ["".join(choice) for branch in branches for choice in product(*_parts_of(branch, env, skipped))]
    return ["{}"]


def _parts_of(branch: ast.expr, env: Env, skipped: set[int]) -> list[list[str]]:
    if isinstance(branch, ast.JoinedStr):
        return [_choices(part, env, skipped) for part in branch.values]
    return [_choices(branch, env, skipped)]


def _is_optional(value: ast.IfExp) -> bool:
    """Whether a value is a text that begins with a space or a mark, or nothing: a piece of a sentence, not a word in it."""
    starts = [_start(branch) for branch in (value.body, value.orelse)]
    return all(start is not None for start in starts) and any(
        not start or start[0] in " ,;(" for start in starts if start is not None
    )


def _start(branch: ast.expr) -> str | None:
    if isinstance(branch, ast.JoinedStr):
        return _start(branch.values[0]) if branch.values else ""
    return branch.value if isinstance(branch, ast.Constant) and isinstance(branch.value, str) else None


def _lettered(text: str) -> str:
    letters = iter(_LETTERS)
    return re.sub(r"\{\}", lambda _: f"{{{next(letters)}}}", text)
