"""Checks that a picture is nothing but an inert picture: SVG elements and attributes that draw, and no way to anything else.

The pictures of a report are made here, with text of strangers in them. This check is the second fence behind their escaping: no
script, no event attribute, no reference out of the picture, no style that the page's policy would refuse (SVG 2 section 2.9).
"""

import re
from xml.parsers.expat import ExpatError, ParserCreate

ELEMENTS = frozenset(
    {"svg", "g", "defs", "title", "desc", "path", "line", "rect", "circle", "ellipse", "polyline", "polygon", "text", "tspan"}
    | {"clipPath", "linearGradient", "stop", "pattern", "marker", "symbol", "use"}
)
"""Elements that a picture may have."""

_LOCAL = re.compile(r"#[A-Za-z][\w-]*")
_REFERENCE = re.compile(r"url\(\s*['\"]?(?!#)", re.IGNORECASE)
_FORBIDDEN = ("style", "base")


class UnsafePictureError(ValueError):
    """A picture that is no SVG, or contains what could run or load something."""


def checked_svg(svg: str) -> str:
    """Return the picture unchanged. Raises `UnsafePictureError` if it is not inert."""
    if "<!" in svg or "<?" in svg:
        raise UnsafePictureError("a picture has neither a declaration nor a processing instruction")
    parser = ParserCreate()
    parser.StartElementHandler = _check_element
    try:
        parser.Parse(svg.encode(), True)
    except ExpatError as error:
        raise UnsafePictureError(f"not well-formed: {error}") from error
    return svg


def _check_element(name: str, attributes: dict[str, str]) -> None:
    if name not in ELEMENTS:
        raise UnsafePictureError(f"the element {name}")
    for attribute, value in attributes.items():
        local = attribute.rpartition(":")[2].lower()
        if local.startswith("on") or local in _FORBIDDEN:
            raise UnsafePictureError(f"the attribute {attribute} of {name}")
        if local in ("href", "src") and not _LOCAL.fullmatch(value):
            raise UnsafePictureError(f"a reference out of the picture, in {name}")
        if _REFERENCE.search(value):
            raise UnsafePictureError(f"a reference out of the picture, in the attribute {attribute} of {name}")
