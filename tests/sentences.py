"""Collects the sentences of the code that the catalogues translate, by the calls and literals in which they stand."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from analyzer.cli.arguments import parser

PACKAGE = Path(__file__).resolve().parents[1] / "analyzer"
ROOMS = ("cli", "text")
FIELD = re.compile(r"\{(\w*)[^}]*\}")

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ERRORS = {"CommandError", "complain"}
_TITLED = {"Column", "TableColumn"}


def trees(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    """The parsed files of rooms; without rooms those of the whole package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not rooms or path.relative_to(PACKAGE).parts[0] in rooms:
            yield path, ast.parse(path.read_text("utf-8"))


def _strings(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _values(node: ast.AST) -> Iterator[str]:
    """All strings of a literal; of a dict, those of its values."""
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _values(value)
    else:
        yield from _strings(node)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def spoken() -> dict[str, str]:
    """The sentences of `say`, with the place of one: its arguments, what is noted for it, titles, labels, and the help."""
    found: dict[str, str] = {}
    for path, tree in trees(*ROOMS):
        for node in ast.walk(tree):
            for sentence in _spoken_in(node):
                if sentence.strip():
                    found.setdefault(sentence, f"{path.name}:{getattr(node, 'lineno', 0)}")
    return found


def _spoken_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call):
        name = _name(node)
        if name == "say" and isinstance(node.args[0], ast.Constant | ast.IfExp):
            yield from _strings(node.args[0])
        elif name == "noted":
            yield from _values(node.args[0])
        elif name in _TITLED and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value
        elif name in ("print_fact", "print_items", "_print_lines") and isinstance(node.args[1], ast.Constant | ast.IfExp):
            yield from (label.strip() for label in _strings(node.args[1]))
    elif isinstance(node, ast.AnnAssign) and getattr(node.annotation, "id", "") == "Sentences" and node.value is not None:
        yield from _values(node.value)
    elif (
        isinstance(node, ast.AnnAssign)
        and getattr(node.annotation, "id", "") == "Labelled"
        and isinstance(node.value, ast.Dict)
    ):
        yield from (key.value for key in node.value.keys if isinstance(key, ast.Constant))


def counted() -> dict[str, str]:
    """The English singulars of `count_text`, with the place of one."""
    found: dict[str, str] = {}
    for path, tree in trees(*ROOMS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node) == "count_text" and isinstance(node.args[1], ast.Constant):
                found.setdefault(node.args[1].value, f"{path.name}:{node.lineno}")
    return found


def helped() -> dict[str, str]:
    """The texts of the help, from the parser itself."""
    found: dict[str, str] = {}
    queue = [parser()]
    while queue:
        command = queue.pop()
        texts = [command.description, *(command.epilog or "").split("\n\n"), *(group.title for group in command._action_groups)]
        for action in command._actions:
            if isinstance(action.choices, dict):
                queue += action.choices.values()
            elif action.help != "==SUPPRESS==":
                texts.append(action.help)
        for text in texts:
            if text:
                found.setdefault(text, f"help of {command.prog}")
    return found


def form_of(node: ast.AST) -> str | None:
    """A string as `retold` knows it: the fields of an f-string are letters. None for another expression, or only fields."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    letters = iter(_LETTERS)
    form = "".join(str(part.value) if isinstance(part, ast.Constant) else f"{{{next(letters)}}}" for part in node.values)
    return form if re.search(r"\w", FIELD.sub("", form)) else None


def errors() -> dict[str, str]:
    """The errors and warnings of `cli` as `retold_error` knows them, with the place of one."""
    found: dict[str, str] = {}
    for path, tree in trees("cli"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node) in _ERRORS:
                form = form_of(node.args[0])
                if form is not None:
                    found.setdefault(form, f"{path.name}:{node.lineno}")
    return found


def forms() -> set[str]:
    """Every string of the package as `retold` knows it: what a catalogue of other rooms' sentences may translate."""
    return {form for _, tree in trees() for node in ast.walk(tree) if (form := form_of(node)) is not None}


def fields(text: str) -> set[str]:
    """The names of the fields in a sentence."""
    return set(FIELD.findall(text))
