"""Says what an HTTP request asked for, and what a body is said to be.

The URL of a request is what its target and its host name together (RFC 9110 section 7.1). A request target has four forms (RFC
9112 section 3.2): the origin form `/path`, which the field Host completes; the absolute form `http://host/path`, which asks a
proxy; the authority form `host:443` of CONNECT; and the asterisk `*` of OPTIONS. The last two are given as they are: nothing is
added that nobody sent.
"""

from collections.abc import Iterable, Sequence


def target_of(scheme: str | None, authority: str | None, path: str | None) -> str | None:
    """Return what a request asked for: a URL as far as its parts are known, `host:port` of CONNECT, or `*`. None: not known."""
    if path is None:
        return authority
    if not authority or path == "*":
        return path
    return f"{scheme}://{authority}{path}" if scheme is not None else f"//{authority}{path}"


def content_type(fields: Iterable[Sequence[str]] | None) -> str | None:
    """Return the first Content-Type of header fields (name, value), as it was sent; None for none."""
    return next((value for name, value in fields or () if name.lower() == "content-type"), None)


def media_type(declared: str | None) -> str | None:
    """Return the media type of a Content-Type in lower case, without its parameters (RFC 9110 section 8.3.1); None for none."""
    return None if declared is None else declared.partition(";")[0].strip().lower()
