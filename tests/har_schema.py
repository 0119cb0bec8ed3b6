"""HAR 1.2 as a JSON Schema, written by hand from the specification: names of our own begin with an underscore."""

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": -1}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
_DURATION = {"type": "number", "minimum": -1}


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional, "comment": _TEXT},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_PAIR = _object({"name": _TEXT, "value": _TEXT}, {})
_COOKIE = _object(
    {"name": _TEXT, "value": _TEXT},
    {
        "path": _TEXT,
        "domain": _TEXT,
        "expires": _TIME,
        "httpOnly": {"type": "boolean"},
        "secure": {"type": "boolean"},
        "sameSite": _TEXT,
    },
)
_POST = _object({"mimeType": _TEXT, "params": _list(_object({"name": _TEXT}, {"value": _TEXT}))}, {"text": _TEXT})
_MESSAGE = {"httpVersion": _TEXT, "cookies": _list(_COOKIE), "headers": _list(_PAIR), "headersSize": _COUNT, "bodySize": _COUNT}
_REQUEST = _object(
    {"method": {"type": "string", "minLength": 1}, "url": {"type": "string", "format": "uri"}, "queryString": _list(_PAIR)}
    | _MESSAGE,
    {"postData": _POST},
)
_CONTENT = _object({"size": _COUNT, "mimeType": _TEXT}, {"compression": {"type": "integer"}, "text": _TEXT, "encoding": _TEXT})
_RESPONSE = _object(
    {"status": {"type": "integer"}, "statusText": _TEXT, "content": _CONTENT, "redirectURL": _TEXT} | _MESSAGE, {}
)
_TIMINGS = _object(
    {"send": _DURATION, "wait": _DURATION, "receive": _DURATION},
    {"blocked": _DURATION, "dns": _DURATION, "connect": _DURATION, "ssl": _DURATION},
)
_ENTRY = _object(
    {
        "startedDateTime": _TIME,
        "time": {"type": "number", "minimum": 0},
        "request": _REQUEST,
        "response": _RESPONSE,
        "cache": _object({}, {}),
        "timings": _TIMINGS,
    },
    {"pageref": _TEXT, "serverIPAddress": _TEXT, "connection": _TEXT},
)
_PAGE = _object(
    {
        "startedDateTime": _TIME,
        "id": _TEXT,
        "title": _TEXT,
        "pageTimings": _object({}, {"onContentLoad": _DURATION, "onLoad": _DURATION}),
    },
    {},
)
_TOOL = _object({"name": _TEXT, "version": _TEXT}, {})
HAR = _object(
    {"log": _object({"version": {"const": "1.2"}, "creator": _TOOL, "entries": _list(_ENTRY)}, {"pages": _list(_PAGE)})}, {}
)
