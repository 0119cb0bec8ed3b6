"""What the sources of field values see of one frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from analyzer.capture.frame import Frame
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.layer_places import LayerPlaces

if TYPE_CHECKING:
    from analyzer.engine import Engine
    from analyzer.filters.capture_facts import CaptureFacts
    from analyzer.tls.decryption.key_material import KeyMaterial
    from analyzer.tls.events import Event

Found = dict[str, list[Occurrence]]
"""The occurrences of fields in a frame, by the name of the field."""


class FrameView:
    """One frame. The same object is filled again for every frame.

    frame: the frame. layers: its headers. events: those that it caused; always empty without an engine. engine: the engine that
    was fed with it, None where nothing is reassembled. material: the secrets of an engine, also of one of which only the events
    are here. facts: what a first reading found, None without one. shown: the time of the last frame that was shown; -1 before
    it, and where no frame is.
    """

    __slots__ = ("engine", "events", "facts", "frame", "layers", "material", "shown")

    def __init__(self, engine: "Engine | None", facts: "CaptureFacts | None") -> None:
        self.engine = engine
        self.facts = facts
        self.material: KeyMaterial | None = None if engine is None else engine.material
        self.frame: Frame = Frame()
        self.layers = LayerPlaces()
        self.events: Sequence[Event] = ()
        self.shown = -1


class Source(Protocol):
    """Finds the values of a family of fields. Every source that a filter needs takes every frame, in their order."""

    def take(self, view: FrameView) -> None:
        """Take the next frame: what has to be remembered of it for the frames after it."""

    def find(self, view: FrameView) -> Found:
        """Return the fields of the frame that was taken last. It is called at most once for a frame, where a filter asks."""


@runtime_checkable
class Selective(Protocol):
    """A source that finds less, and faster, if it knows what is asked for."""

    def want(self, names: frozenset[str]) -> None:
        """Take the names of all fields that will be asked for; other fields need not be found."""


def found(*pairs: tuple[str, object]) -> Found:
    """Return occurrences that have no bytes of their own, one for each pair of name and value."""
    result: Found = {}
    for name, value in pairs:
        result.setdefault(name, []).append(Occurrence(value, None, 1))  # type: ignore[arg-type]
    return result
