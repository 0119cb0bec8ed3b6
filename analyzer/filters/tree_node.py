"""The base of the nodes of a filter's trees: records that cannot be changed, and are equal where their fields are.

Python makes each dataclass by compiling a handful of functions, which takes most of a millisecond. The trees have 35 classes
of nodes, and every filter needs them, so these have one set of functions for all.
"""

from inspect import get_annotations
from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class TreeNode:
    """A node. Its fields are the annotations of its class and of those above it, as in a dataclass.

    node_fields: their names.
    """

    node_fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = get_annotations(cls)
        cls.node_fields = tuple(dict.fromkeys([*cls.node_fields, *own]))

    def __init__(self, *values: Any, **named: Any) -> None:
        """Take the fields in their order, or by name. Raises TypeError for one too many, and one that is missing."""
        cls = type(self)
        if len(values) > len(cls.node_fields):
            raise TypeError(f"{cls.__name__} has {len(cls.node_fields)} fields, and not {len(values)}")
        given = dict(zip(cls.node_fields, values, strict=False)) | named
        for name in cls.node_fields:
            if name not in given:
                if not hasattr(cls, name):
                    raise TypeError(f"{cls.__name__} has no {name}")
                given[name] = getattr(cls, name)
        if len(given) > len(cls.node_fields):
            raise TypeError(f"{cls.__name__} has only the fields {', '.join(cls.node_fields)}")
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self.node_fields)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.node_fields)
        return f"{type(self).__name__}({shown})"

    def changed(self, **fields: Any) -> Self:
        """Return a copy with other values of these fields."""
        return type(self)(**{**self.__dict__, **fields})
