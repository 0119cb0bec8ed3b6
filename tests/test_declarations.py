"""Each .pxd says the same as the .py beside it. Cython notices only some of the differences, and the interpreter none."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DECLARED = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "analyzer").rglob("*.pxd")
    if path.stem != "__init__"
)

SAME = {
    "bytearray": "bytearray",
    "bytes": "bytes",
    "dict": "dict",
    "list": "list",
    "set": "set",
    "str": "str",
    "tuple": "tuple",
    "bool": "bool",
    "int": "int of Python",
    "None": "void",
    "cython.bint": "bint",
    "cython.int": "int",
    "cython.longlong": "long long",
    "cython.p_const_uchar": "const unsigned char *",
    "cython.Py_ssize_t": "Py_ssize_t",
}
"""What a .pxd says for an annotation of the .py. A class that a .pxd declares keeps its name; everything else is `object`."""

FREER = {"bool": {"bint"}, "int of Python": {"int", "long long", "Py_ssize_t"}, "void": {"int", "object"}}
"""What a .pxd may say as well. `int` and `bool` on an attribute or a result give it no C type, so the .pxd chooses one. In a
module without `annotation_typing` the same is true for parameters. A function without a result may return an `int` or an
`object`: that is how it tells its caller about an exception."""

UNTYPED = "# cython: annotation_typing=False"
DECORATOR = re.compile(r"@ cython \. (?:final|no_gc|freelist \( \d+ \))")
CIMPORT = re.compile(r"from (.+) cimport (?:\( )?(\w+(?: , \w+)*)(?: ,)?(?: \))?")
CLASS = re.compile(r"cdef class (\w+)(?: \( (\w+) \))? :")
FUNCTION = re.compile(r"cp?def (.+?) (\w+) \( (?:(.+) )?\)(?: noexcept| except (?:\?? ?- \d+|\*))?")
PARAMETER = re.compile(r"(?:(.+) )?(\w+)( = \*)?")
VARIABLES = re.compile(r"cdef (?:public |readonly )?(.+?) (\w+(?: , \w+)*)")
WITH_BODY = re.compile(r"cdef (?:extern|inline) .+ :")


@dataclass
class Function:
    """A function in a .pxd. Each parameter is its type, its name, and whether it has a default."""

    returns: str
    parameters: list[tuple[str, str, bool]]
    locals: dict[str, str]


@dataclass
class Scope:
    """A .pxd or a class in it, with the types of its variables and with its functions."""

    base: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)


class Declarations(Scope):
    """The contents of a .pxd. A line of an unknown kind is an error, so that no line is skipped."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cimports: dict[str, str] = {}
        """For each name the module that it comes from."""
        self.classes: dict[str, Scope] = {}
        self.words: set[str] = set()
        """All words outside the cimports."""
        scope: Scope = self
        local: dict[str, str] = {}
        body_of: int | None = None
        for depth, line in logical_lines(text):
            if found := CIMPORT.fullmatch(line):
                self.cimports |= dict.fromkeys(found[2].split(" , "), found[1].replace(" ", ""))
                continue
            if line == "cimport cython":
                self.cimports["cython"] = "cython"
                continue
            self.words |= set(line.split())
            if body_of is not None and depth > body_of:
                continue
            body_of = None
            scope = scope if depth else self
            if WITH_BODY.fullmatch(line):
                body_of = depth
            elif line.startswith("@ cython . locals"):
                local = types_of_locals(line)
            elif found := CLASS.fullmatch(line):
                self.classes[found[1]] = scope = Scope(found[2] or "")
            elif found := FUNCTION.fullmatch(line):
                matches = [PARAMETER.fullmatch(part) for part in (found[3] or "").split(" , ") if part]
                parameters = [(one[1] or "", one[2], one[3] is not None) for one in matches if one]
                scope.functions[found[2]] = Function(found[1], parameters, local)
                local = {}
            elif found := VARIABLES.fullmatch(line):
                scope.variables |= dict.fromkeys(found[2].split(" , "), found[1])
            elif not DECORATOR.fullmatch(line):
                raise ValueError(f"a line of an unknown kind: {line}")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its depth of indentation. A line with open brackets continues; tokens are separated by one space."""
    depth = 0
    words: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            yield depth, " ".join(words)
            words = []
        elif token.type in {tokenize.INDENT, tokenize.DEDENT}:
            depth += 1 if token.type == tokenize.INDENT else -1
        elif token.type not in {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}:
            words.append(token.string)


def types_of_locals(line: str) -> dict[str, str]:
    """The arguments of `@cython.locals`. Their types are names or strings."""
    call = ast.parse(line[1:].strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    types = {str(word.arg): ast.unparse(word.value).strip("'") for word in call.keywords}
    return {name: kind.replace("*", " *") for name, kind in types.items()}


class Module:
    """A .py and the .pxd beside it. If there is no .pxd, it is empty."""

    def __init__(self, source: str, declarations: str = "") -> None:
        self.tree = ast.parse(source)
        self.typed = not source.startswith(UNTYPED)
        self.declared = Declarations(declarations)
        self.classes = {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}
        self.imports = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        self.aliases = {
            ast.unparse(target): node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        }


class Package:
    """Modules by name, each read on first use. A module of another package is None."""

    def __init__(self, read: Callable[[str], Module | None]) -> None:
        self._read = read
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def home(self, module: str, name: str) -> tuple[str, str]:
        """The module that defines a name which this module uses, and the name there."""
        here = self.module(module)
        return (module, name) if here is None or name not in here.imports else self.home(*here.imports[name])

    def value_of(self, module: str, name: str) -> ast.expr | None:
        """The value that a name gets where it is defined."""
        home, name = self.home(module, name)
        there = self.module(home)
        return there.aliases.get(name) if there is not None else None

    def type_of(self, module: str, annotation: ast.expr | None) -> str:
        """What the .pxd has to say for an annotation in the .py of this module. Without an annotation it is empty."""
        if annotation is None or ast.unparse(annotation) == "Final":
            return ""
        match annotation:
            case _ if ast.unparse(annotation) in SAME:
                return SAME[ast.unparse(annotation)]
            case ast.Constant(value=str(quoted)):
                return self.type_of(module, ast.parse(quoted, mode="eval").body)
            case ast.BinOp(left=left, right=ast.Constant(value=None)):
                kind = self.type_of(module, left)
                return "object" if kind in {"bool", "int of Python"} else kind
            case ast.Subscript(value=ast.Name(id="Final"), slice=inner) | ast.Subscript(value=inner):
                return self.type_of(module, inner)
            case ast.Name(id=name):
                home, name = self.home(module, name)
                there = self.module(home)
                if there is not None and name in there.declared.classes:
                    return name
                if there is not None and name in there.aliases:
                    return self.type_of(home, there.aliases[name])
        return "object"

    def bases(self, module: str, name: str) -> Iterator[Scope]:
        """The declared bases of a declared class."""
        here = self.module(module)
        assert here is not None
        base = here.declared.classes[name].base
        if base:
            home = here.declared.cimports.get(base, module)
            there = self.module(home)
            assert there is not None
            yield there.declared.classes[base]
            yield from self.bases(home, base)


def disagreements(package: Package, name: str) -> Iterator[str]:
    """Every difference between the .pxd and the .py of a module."""
    module = package.module(name)
    assert module is not None
    declared = module.declared
    yield from differing_cimports(module)
    yield from differing_functions(package, name, declared.functions, functions_in(module.tree.body), "")
    top = [node for node in module.tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    bound, annotations = module.imports.keys() | stored_in(top), dict(annotated_in(top))
    for variable, kind in declared.variables.items():
        annotation = annotations.get(variable)
        if variable not in bound:
            yield f"{variable} is not a name of the .py"
        elif package.type_of(name, annotation):
            yield from differing_type(package, name, variable, kind, annotation, free=True)
        elif kind != "object":
            yield from differing_type(package, name, variable, kind, kind_of(package.value_of(name, variable)), free=True)
    for class_name, scope in declared.classes.items():
        if class_name in module.classes:
            yield from differing_class(package, name, module.classes[class_name], scope)
        else:
            yield f"{class_name} is not a class of the .py"


def differing_cimports(module: Module) -> Iterator[str]:
    """Names that the .py imports from another module, and names that neither the .pxd nor an import of the .py needs."""
    used = {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}
    for name, home in module.declared.cimports.items():
        imported = module.imports.get(name, ("", ""))[0]
        if imported and imported != home:
            yield f"{name} comes from {home}, in the .py from {imported}"
        elif name not in module.declared.words and not (imported and name in used):
            yield f"{name} is cimported for nothing"


def differing_class(package: Package, module: str, node: ast.ClassDef, scope: Scope) -> Iterator[str]:
    """Every difference in a class. A method that overrides one of a base is compared with the declaration of the base."""
    bases = [ast.unparse(base) for base in node.bases]
    if bases != [scope.base] * bool(scope.base):
        yield f"{node.name} has the base {scope.base or 'object'}, in the .py {', '.join(bases) or 'object'}"
    slots = slots_of(node)
    yield from (f"{node.name}.{name} is not in __slots__" for name in scope.variables if name not in slots)
    yield from (f"{node.name}.{name} is only in __slots__" for name in slots if name not in scope.variables)
    declared_bases = list(package.bases(module, node.name))
    methods = functions_in(node.body)
    yield from differing_functions(package, module, scope.functions, methods, f"{node.name}.")
    for name, function in [item for base in declared_bases for item in base.functions.items()]:
        if name in methods and name not in scope.functions:
            inherited = {name: replace(function, locals={})}
            yield from differing_functions(package, module, inherited, methods, f"{node.name}.")
    types = {name: kind for one in (*reversed(declared_bases), scope) for name, kind in one.variables.items()}
    for name, annotation in annotated_in(node.body):
        yield from differing_type(package, module, f"{node.name}.{name}", types.get(name, ""), annotation, free=True)
    for method in methods.values():
        for name, annotation, certain in attributes_set_in(method):
            kind = types.get(name, "")
            # A value that is only an object for C, such as a union, may still have the type of the attribute.
            if certain or "object" not in {kind, package.type_of(module, annotation)}:
                yield from differing_type(package, module, f"{node.name}.{name}", kind, annotation, free=True)


def differing_functions(
    package: Package, module: str, declared: dict[str, Function], defined: dict[str, ast.FunctionDef], prefix: str
) -> Iterator[str]:
    """Every difference in these functions or methods."""
    here = package.module(module)
    assert here is not None
    for name, function in declared.items():
        whole, node = prefix + name, defined.get(name)
        if node is None:
            yield f"{whole} is not in the .py"
            continue
        parameters = node.args.args
        n_required = len(parameters) - len(node.args.defaults)
        mine = [f"{parameter.arg}{' = *' * (i >= n_required)}" for i, parameter in enumerate(parameters)]
        others = [f"{parameter}{' = *' * optional}" for _, parameter, optional in function.parameters]
        if mine != others or node.args.posonlyargs or node.args.kwonlyargs or node.args.vararg or node.args.kwarg:
            yield f"{whole} takes ({', '.join(others)}), in the .py ({ast.unparse(node.args)})"
            continue
        for parameter, (kind, _, _) in zip(parameters, function.parameters, strict=True):
            where = f"{whole}({parameter.arg})"
            yield from differing_type(package, module, where, kind, parameter.annotation, free=not here.typed)
        yield from differing_type(package, module, whole, function.returns, node.returns, free=True)
        local = {parameter.arg for parameter in parameters} | stored_in([node])
        yield from (f"{whole} has no local {variable}" for variable in function.locals if variable not in local)
        for variable, annotation in annotated_in(ast.walk(node)):
            kind = function.locals.get(variable, "")
            yield from differing_type(package, module, f"{whole}: {variable}", kind, annotation, free=False)


def differing_type(
    package: Package, module: str, name: str, kind: str, annotation: ast.expr | None, *, free: bool
) -> Iterator[str]:
    """One line if both files give a type and the types differ. With `free`, `FREER` applies."""
    said = package.type_of(module, annotation)
    if annotation is not None and kind and said and kind != said and not (free and kind in FREER.get(said, ())):
        yield f"{name} is {kind}, in the .py {ast.unparse(annotation)}"


def functions_in(body: list[ast.stmt]) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def stored_in(nodes: Iterable[ast.AST]) -> set[str]:
    names = [one for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def annotated_in(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.annotation


def slots_of(node: ast.ClassDef) -> list[str]:
    """The slots of the class itself, without those of its bases."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__slots__":
            slots = ast.literal_eval(statement.value)
            return [slots] if isinstance(slots, str) else list(slots)
    return []


def attributes_set_in(method: ast.FunctionDef) -> Iterator[tuple[str, ast.expr | None, bool]]:
    """The attributes that a method sets: with their annotation and True, or with the type of the value and False."""
    parameters = {parameter.arg: parameter.annotation for parameter in (*method.args.args, *method.args.kwonlyargs)}
    for node in ast.walk(method):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            match target, node:
                case ast.Attribute(value=ast.Name(id="self"), attr=name), ast.AnnAssign(annotation=annotation):
                    yield name, annotation, True
                case ast.Attribute(value=ast.Name(id="self"), attr=name), ast.Assign(value=ast.Name(id=value)):
                    yield name, parameters.get(value), False
                case ast.Attribute(value=ast.Name(id="self"), attr=name), ast.Assign(value=value):
                    yield name, kind_of(value), False


def kind_of(value: ast.expr | None) -> ast.expr | None:
    """The type of a literal, as an annotation."""
    match value:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=constant):
            return ast.Name(type(constant).__name__)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return kind_of(operand)
        case ast.JoinedStr():
            return ast.Name("str")
        case ast.Tuple() | ast.List() | ast.Dict():
            return ast.Name(type(value).__name__.lower())
    return None


def module_of_checkout(name: str) -> Module | None:
    path = ROOT.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.is_relative_to(ROOT / "analyzer") or not path.is_file():
        return None
    beside = path.with_suffix(".pxd")
    return Module(path.read_text("utf-8"), beside.read_text("utf-8") if beside.is_file() else "")


CHECKOUT = Package(module_of_checkout)


@pytest.mark.parametrize("name", DECLARED)
def test_declarations_and_source_say_the_same(name: str) -> None:
    assert list(disagreements(CHECKOUT, name)) == []


STOCK = (
    """
class Thing:
    __slots__ = ("price",)

    def count(self, at: cython.longlong) -> int: ...
""",
    """
cdef class Thing:
    cdef public long long price

    cdef int count(self, long long at) except -1
""",
)

SOURCE = """
import cython

from shop.stock import Thing

LIMIT = 3
Names = list[str]
KNOWN: dict[str, Thing] = {}


class Cup(Thing):
    __slots__ = ("_broken", "label", "names", "next")

    label: bytes
    next: "Cup | None"

    def __init__(self, names: Names, broken: bool) -> None:
        self.names = names
        self._broken: bool = broken

    def count(self, at: cython.longlong) -> int:
        return at

    def fill(self, data: bytes, start: cython.Py_ssize_t, whole: cython.bint = False) -> str | None:
        first = data[start]
        return chr(first)


def sell(cup: Cup | None, price: cython.int, note: Callable[[str], None]) -> list[Thing]:
    return []
"""

DECLARATIONS = """
cimport cython

from shop.stock cimport (
    Thing,
)

cdef extern from "string.h":
    int memcmp(const void *first, const void *second, size_t n_bytes)

cdef inline bint is_same(const unsigned char *one, const unsigned char *other) noexcept:
    return memcmp(one, other, 8) == 0

cdef int LIMIT  # of cups
cdef dict KNOWN


@cython.no_gc
cdef class Cup(Thing):
    cdef public bytes label
    cdef public list names
    cdef public Cup next
    cdef bint _broken

    @cython.locals(
        first="long long"
    )
    cpdef str fill(
        self, bytes data, Py_ssize_t start, bint whole=*
    )


cpdef list sell(Cup cup, int price, object note)
"""


def differences(source: str, declarations: str) -> list[str]:
    texts = {"shop.stock": STOCK, "shop.cups": (source, declarations)}
    return list(disagreements(Package(lambda name: Module(*texts[name]) if name in texts else None), "shop.cups"))


def test_two_files_that_agree() -> None:
    assert differences(SOURCE, DECLARATIONS) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (', "next")', ")", "Cup.next is not in __slots__"),
        (', "next")', ', "next", "size")', "Cup.size is only in __slots__"),
        ("class Cup(Thing):\n    __", "class Cup:\n    __", "Cup has the base Thing, in the .py object"),
        ("class Cup(Thing):\n    __", "class Mug(Thing):\n    __", "Cup is not a class of the .py"),
        ("def fill", "def refill", "Cup.fill is not in the .py"),
        ("def sell", "def buy", "sell is not in the .py"),
        ("data: bytes, start: cython.Py_ssize_t", "start: cython.Py_ssize_t, data: bytes", "Cup.fill takes (self, data, start"),
        ("cython.bint = False", "cython.bint", "Cup.fill takes (self, data, start, whole = *), in the .py (self, data:"),
        ("first = ", "second = ", "Cup.fill has no local first"),
        ("label: bytes", "label: str", "Cup.label is bytes, in the .py str"),
        ("Names = list", "Names = tuple", "Cup.names is list, in the .py Names"),
        ("at: cython.longlong", "at: cython.int", "Cup.count(at) is long long, in the .py cython.int"),
        ("price: cython.int", "price: int", "sell(price) is int, in the .py int"),
        ("Names = list[str]\n", "Names = list[str]\nLIMIT: Final[str] = 3\n", "LIMIT is int, in the .py Final[str]"),
        ("LIMIT = 3", "MOST = 3", "LIMIT is not a name of the .py"),
        ("from shop.stock import", "from shop.store import", "Thing comes from shop.stock, in the .py from shop.store"),
    ],
)
def test_drift_of_a_source_is_told(old: str, new: str, told: str) -> None:
    assert SOURCE.count(old) == 1
    (line,) = differences(SOURCE.replace(old, new), DECLARATIONS)
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    cdef public Cup next\n", "", "Cup.next is only in __slots__"),
        ("bint _broken", "bint _broken, _old", "Cup._old is not in __slots__"),
        ("cdef class Cup(Thing)", "cdef class Cup", "Cup has the base object, in the .py Thing"),
        ("public bytes label", "public str label", "Cup.label is str, in the .py bytes"),
        ("public list names", "public dict names", "Cup.names is dict, in the .py Names"),
        ("bint whole=*", "bint all=*", "Cup.fill takes (self, data, start, all = *), in the .py (self, data:"),
        ("bint whole=*", "bint whole", "Cup.fill takes (self, data, start, whole), in the .py (self, data:"),
        ("Py_ssize_t start", "int start", "Cup.fill(start) is int, in the .py cython.Py_ssize_t"),
        ("cpdef str fill", "cpdef bytes fill", "Cup.fill is bytes, in the .py str | None"),
        ("first=", "third=", "Cup.fill has no local third"),
        ("cpdef list", "cdef void buy(Cup cup) except *\ncpdef list", "buy is not in the .py"),
        ("object note", "str note", "sell(note) is str, in the .py Callable[[str], None]"),
        ("int LIMIT", "bytes LIMIT", "LIMIT is bytes, in the .py int"),
        ("int LIMIT", "int LIMIT, MOST", "MOST is not a name of the .py"),
        ("dict KNOWN", "set KNOWN", "KNOWN is set, in the .py dict[str, Thing]"),
        ("    Thing,\n", "    Thing, Tray,\n", "Tray is cimported for nothing"),
    ],
)
def test_drift_of_declarations_is_told(old: str, new: str, told: str) -> None:
    assert DECLARATIONS.count(old) == 1
    (line,) = differences(SOURCE, DECLARATIONS.replace(old, new))
    assert line.startswith(told)


def test_no_line_of_declarations_is_passed_over() -> None:
    with pytest.raises(ValueError, match="ctypedef int number"):
        Declarations("ctypedef int number\n")


def test_without_types_from_annotations_a_number_of_c_is_an_int() -> None:
    source = "def skip(n_bytes: int) -> int: ...\n"
    declarations = "cdef int skip(Py_ssize_t n_bytes) except -1\n"
    assert differences(source, declarations) == ["skip(n_bytes) is Py_ssize_t, in the .py int"]
    assert differences(f"{UNTYPED}\n{source}", declarations) == []
