"""Why an expression is no filter, and where."""


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
