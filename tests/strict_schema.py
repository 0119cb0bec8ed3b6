"""Makes a JSON Schema strict, so that a test finds keys that are not declared."""

from typing import Any


def strict(schema: Any) -> Any:
    """Return the same schema, but keys that are not declared are forbidden."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    return closed | {"additionalProperties": False} if closed.get("additionalProperties") is True else closed
