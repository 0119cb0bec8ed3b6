"""Why an expression is no filter, and where."""

from typing import Protocol


class Placed(Protocol):
    """What has a place in the expression: characters `at` to `end`."""

    @property
    def at(self) -> int:
        """The first character."""

    @property
    def end(self) -> int:
        """The first character after it."""


class FilterError(ValueError):
    """An expression that means nothing.

    `at` and `length` are in characters of `text`, the expression with its macros expanded; `suggestions` are what may be meant.
    """

    def __init__(self, message: str, at: int = 0, length: int = 0, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.length = length
        self.suggestions = suggestions
        self.text = ""

    @classmethod
    def of(cls, node: "Placed", message: str, suggestions: tuple[str, ...] = ()) -> "FilterError":
        """Return the error whose place is that of a node."""
        return cls(message, node.at, node.end - node.at, suggestions)
