"""Reads a body as its bytes arrive: counts, hashes and decodes them, and passes them on. It never holds the whole body.

It removes the content codings (RFC 9110 section 8.4), and the transfer codings other than chunked (RFC 9112 section 7). If a
body cannot be decoded to its end, decoding stops there: a finding reports it, the length is that of the decoded bytes, and
there is no hash. The libraries of the codings are imported with the first body that has a coding.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256 as begin_sha256
from typing import TYPE_CHECKING, Any, Final

from analyzer.codec.errors import Anomaly, ParseError

if TYPE_CHECKING:
    import cython

DECODING_MAX: Final = 128
"""Maximum number of bodies that a conversation decodes at one time: each may need a window of 8 MiB. Browsers open 100
streams."""

NOTHING_SHA256: Final = begin_sha256().hexdigest()
"""Hash of an empty body."""

Codings = list[str]
"""Names of codings in lower case, in the order applied."""

Note = Callable[[str, str, int], None]
"""Called with each finding: code, detail, frame."""


class Bodies:
    """State that the bodies of one conversation share."""

    __slots__ = ("hashing", "n_decoding", "note")

    def __init__(self, hashing: cython.bint, note: Note) -> None:
        self.hashing = hashing
        self.note = note
        self.n_decoding = 0


class Body:
    """The body of one request or response.

    length: bytes after decoding, as far as they arrived.
    n_wire: bytes as sent, without chunk framing and padding.
    complete: whether all of it arrived; True also if there was none.
    decoded: whether no coding is left on it.
    plain: whether its bytes are not needed, so that `skip` may be called in place of `feed`.
    end_frame: the frame in which it ended; 0 before that, and where it is not known.
    """

    __slots__ = (
        "_bodies", "_codings", "_cut", "_digest", "_hashing", "_sink", "_stack", "_whole", "complete", "decoded", "end_frame",
        "length", "n_wire", "plain",
    )  # fmt: skip

    def __init__(self, bodies: Bodies, codings: Codings | None, sink: Callable[[bytes], None] | None) -> None:
        """Begin a body. codings: None if they are not known, because the header section is not."""
        self.begin(bodies, codings, sink)

    def begin(self, bodies: Bodies, codings: Codings | None, sink: Callable[[bytes], None] | None) -> None:
        """Reset the body: nothing of it has arrived."""
        self._bodies = bodies
        self._codings = codings
        self._stack: Any = None
        self._hashing = bodies.hashing and codings is not None
        # Created with the first byte, because most requests have no body.
        self._digest: Any = None
        self._sink = sink
        self._cut = False
        self._whole = True
        self.length = 0
        self.n_wire = 0
        self.complete = False
        self.end_frame = 0
        self.decoded = codings is not None
        self.plain = not self._hashing and sink is None and not codings

    def feed(self, data: bytes, frame: cython.longlong) -> None:
        """Take the next bytes as sent."""
        self.n_wire += len(data)
        if self._cut:
            return
        if self._codings:
            self._open(self._codings, frame)
        if self._stack is None:
            self._take(data)
            return
        try:
            for piece in self._stack.decode(data):
                self._take(piece)
        except ParseError as error:
            self._end()
            self._cut = True
            code = "decompression_bomb" if isinstance(error, Anomaly) else "malformed_content_coding"
            self._bodies.note(code, f"body cut after {self.length} bytes: {error}", frame)

    def skip(self, n_bytes: cython.longlong) -> None:
        """Count the next bytes of a plain body without reading them."""
        self.n_wire += n_bytes
        self.length += n_bytes

    def lose(self) -> None:
        """Handle missing bytes. The following bytes are counted if there is no coding. The body stays incomplete."""
        self._cut = self._cut or self._stack is not None or bool(self._codings)
        self._end()
        self._whole = False
        self._hashing = False
        self._digest = None
        self._sink = None

    def finish(self, frame: cython.longlong) -> None:
        """Handle the regular end of the body."""
        self.complete = self._whole and not self._cut
        self.end_frame = frame
        if self._stack is not None and not self._stack.finished:
            self.complete = False
            self._bodies.note("malformed_content_coding", "the body ends before its coded data does", frame)
        self._end()

    def _open(self, codings: Codings, frame: cython.longlong) -> None:
        from analyzer.application.content_codings import CODINGS_MAX, KNOWN, Stack

        self._codings = None
        unknown = [name for name in codings if name not in KNOWN]
        if unknown:
            self._bodies.note("unknown_content_coding", f"left as it is: {', '.join(map(ascii, unknown))}"[:200], frame)
        elif len(codings) > CODINGS_MAX:
            self._bodies.note("too_many_content_codings", f"{len(codings)} on top of each other; left as they are", frame)
        elif self._bodies.n_decoding >= DECODING_MAX:
            self._bodies.note("too_many_bodies", f"{DECODING_MAX} bodies are being decoded; this one is left as it is", frame)
        else:
            self._bodies.n_decoding += 1
            self._stack = Stack(codings)
            return
        self.decoded = False

    def _end(self) -> None:
        if self._stack is not None:
            self._bodies.n_decoding -= 1
            self._stack = None

    def _take(self, data: bytes) -> None:
        self.length += len(data)
        if self._digest is not None:
            self._digest.update(data)
        elif self._hashing:
            self._digest = begin_sha256(data)
        if self._sink is not None:
            self._sink(data)

    @property
    def sha256(self) -> str | None:
        """Hex SHA-256 of the body as `length` counts it; None unless it is complete, decoded and was to be hashed."""
        if not (self._hashing and self.complete and self.decoded):
            return None
        if self._digest is None:
            return NOTHING_SHA256
        digest: str = self._digest.hexdigest()
        return digest


def new_body(bodies: Bodies, codings: Codings | None, sink: Callable[[bytes], None] | None) -> Body:
    """Return a new body. It sets the fields directly, so compiled code does not make a call with Python objects."""
    body: Body = Body.__new__(Body)
    body.begin(bodies, codings, sink)
    return body
