"""The attributes of the typed objects, their types and their docstrings are what the declarations of the records say."""

from collections.abc import Iterator
from inspect import get_annotations
from types import UnionType
from typing import Any, get_args, get_origin

import pytest

from analyzer import api
from analyzer.api.session_parts import PARTS
from analyzer.api.typed_record import ATTRIBUTES
from analyzer.store.declaration import Schema, find
from analyzer.store.output_schemas import PACKET
from analyzer.store.schema import DEFINITIONS, SESSION


def declared(hint: Any) -> Any:
    """The schema types of an annotation: a JSON type or the class of a record, with `null` where it may be None."""
    if get_origin(hint) is UnionType:
        return frozenset().union(*(declared(part) for part in get_args(hint)))
    if get_origin(hint) is tuple:
        return frozenset({("list", declared(get_args(hint)[0]))})
    if get_origin(hint) is dict:
        return frozenset({"object"})
    if isinstance(hint, type) and issubclass(hint, api.Record):
        return frozenset({hint})
    names = {int: "integer", str: "string", bool: "boolean", type(None): "null", bytes: "string"}
    return frozenset({names[hint]})


def wanted_of(schema: Schema, hint: Any) -> Any:
    """The same of a declaration. hint: the annotation, which says the class of an object that has no name."""
    if "anyOf" in schema:
        return frozenset().union(*(wanted_of(one, hint) for one in schema["anyOf"]))
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return frozenset({PARTS[name]}) if name in PARTS else wanted_of(DEFINITIONS[name], hint)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    found = set()
    for kind in kinds:
        if kind == "array":
            inner = next((get_args(one)[0] for one in (hint, *get_args(hint)) if get_origin(one) is tuple), None)
            found.add(("list", wanted_of(schema["items"], inner)))
        elif kind == "object" and "properties" in schema:
            classes = [one for one in (hint, *get_args(hint)) if isinstance(one, type) and issubclass(one, api.Record)]
            assert [list(one.keys) for one in classes] == [list(schema["properties"])]
            found.add(classes[0])
        else:
            found.add(kind)
    return frozenset(found)


def classes() -> Iterator[tuple[type[api.Record], Schema]]:
    for name, schema in DEFINITIONS.items():
        if name in PARTS:
            yield PARTS[name], schema
    yield api.Session, SESSION
    yield api.Packet, PACKET
    for part, path in (
        (api.Certificates, "certificates"),
        (api.BySide, "decryption.bytes"),
        (api.Finished, "authenticity.finished"),
        (api.HttpRequest, "http.0.request"),
        (api.HttpResponse, "http.0.response"),
    ):
        yield part, find(SESSION, path.split("."))


@pytest.mark.parametrize(("cls", "schema"), list(classes()), ids=lambda one: getattr(one, "__name__", ""))
def test_attributes_and_their_types_are_those_declared(cls: type[api.Record], schema: Schema):
    hints = get_annotations(cls)
    optional = set(schema["properties"]) - set(schema["required"])
    assert list(hints) == [ATTRIBUTES.get(key, key) for key in schema["properties"]]
    assert list(cls.keys) == list(schema["properties"])
    for key, one in schema["properties"].items():
        name = ATTRIBUTES.get(key, key)
        wanted = wanted_of(one, hints[name])
        if key in optional and get_origin(hints[name]) is not tuple:
            wanted |= {"null"}
        assert declared(hints[name]) == wanted, name
        assert getattr(cls, name).__doc__ == one["description"]


def test_every_definition_has_a_class():
    assert set(DEFINITIONS) - set(PARTS) == {"time", "certificate_time", "check_result"}
