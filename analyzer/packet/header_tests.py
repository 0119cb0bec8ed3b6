# cython: annotation_typing=False
"""Tests of header fields that are made once and asked for every frame: the fast form of a filter that needs nothing else.

A test looks at the places of its field in the headers of a frame (`layer_places`), and makes no Python object. A field with
several values passes a test if one of them does, and an `every` test if it has values and all of them do.
"""

from functools import reduce
from operator import or_
from typing import Any

from analyzer.capture.frame_reader import FrameReader
from analyzer.packet.layer_places import LayerPlaces, Place

EQUAL, UNEQUAL, LESS, NOT_MORE, MORE, NOT_LESS = range(6)
"""The operators of a comparison of numbers."""

# C variables, which other modules cannot see.
_EQUAL, _UNEQUAL, _LESS, _NOT_MORE, _MORE = EQUAL, UNEQUAL, LESS, NOT_MORE, MORE


class HeaderTest:
    """The base of all tests; it passes every frame."""

    __slots__ = ()

    def kinds(self) -> int:
        """Return the kinds of headers that it looks at, as `LayerPlaces.kinds`."""
        return 0

    def holds(self, layers: LayerPlaces) -> bool:
        """Return whether a frame passes. layers: its headers."""
        return True


class HasField(HeaderTest):
    """A field is there, in one of its places."""

    __slots__ = ("places",)

    def __init__(self, places: tuple[Place, ...]) -> None:
        self.places = places

    def kinds(self) -> int:
        """See `HeaderTest.kinds`."""
        return kinds_of(self.places)

    def holds(self, layers: LayerPlaces) -> bool:
        """See `HeaderTest.holds`."""
        for index in range(layers.count):
            for place in self.places:
                if layers.is_at(index, place):
                    return True
        return False


class ComparesNumber(HeaderTest):
    """The number or bit of a field, compared with one number by `operator`."""

    __slots__ = ("every", "is_bit", "number", "operator", "places")

    def __init__(self, places: tuple[Place, ...], operator: int, number: int, every: bool) -> None:
        self.places = places
        self.operator = operator
        self.number = number
        self.every = every
        self.is_bit = places[0].form == 1

    def kinds(self) -> int:
        """See `HeaderTest.kinds`."""
        return kinds_of(self.places)

    def holds(self, layers: LayerPlaces) -> bool:
        """See `HeaderTest.holds`."""
        seen = False
        for index in range(layers.count):
            for place in self.places:
                value = layers.number(index, place)
                if value < 0:
                    continue
                seen = True
                if self.is_bit:
                    value = 1 if value else 0
                passes = self.compare(value)
                if passes != self.every:
                    return passes
        return seen and self.every

    def compare(self, value: int) -> bool:
        """Return whether one value passes."""
        if self.operator == _EQUAL:
            return value == self.number
        if self.operator == _UNEQUAL:
            return value != self.number
        if self.operator == _LESS:
            return value < self.number
        if self.operator == _NOT_MORE:
            return value <= self.number
        if self.operator == _MORE:
            return value > self.number
        return value >= self.number


class ComparesOctets(HeaderTest):
    """The bytes of a field, such as an address, equal to others in the bits of a mask; or `differs` from them."""

    __slots__ = ("differs", "every", "mask", "octets", "places")

    def __init__(self, places: tuple[Place, ...], octets: bytes, mask: bytes, differs: bool, every: bool) -> None:
        self.places = places
        self.octets = octets
        self.mask = mask
        self.differs = differs
        self.every = every

    def kinds(self) -> int:
        """See `HeaderTest.kinds`."""
        return kinds_of(self.places)

    def holds(self, layers: LayerPlaces) -> bool:
        """See `HeaderTest.holds`."""
        seen = False
        for index in range(layers.count):
            for place in self.places:
                if not layers.is_at(index, place):
                    continue
                seen = True
                passes = layers.equals(index, place, self.octets, self.mask) != self.differs
                if passes != self.every:
                    return passes
        return seen and self.every


class AllOf(HeaderTest):
    """Every one of some tests holds."""

    __slots__ = ("tests",)

    def __init__(self, tests: tuple[HeaderTest, ...]) -> None:
        self.tests = tests

    def kinds(self) -> int:
        """See `HeaderTest.kinds`."""
        return reduce(or_, (test.kinds() for test in self.tests), 0)

    def holds(self, layers: LayerPlaces) -> bool:
        """See `HeaderTest.holds`."""
        for test in self.tests:  # noqa: SIM110 - C has no generator
            if not test.holds(layers):
                return False
        return True


class AnyOf(HeaderTest):
    """One of some tests holds."""

    __slots__ = ("tests",)

    def __init__(self, tests: tuple[HeaderTest, ...]) -> None:
        self.tests = tests

    def kinds(self) -> int:
        """See `HeaderTest.kinds`."""
        return reduce(or_, (test.kinds() for test in self.tests), 0)

    def holds(self, layers: LayerPlaces) -> bool:
        """See `HeaderTest.holds`."""
        for test in self.tests:  # noqa: SIM110 - C has no generator
            if test.holds(layers):
                return True
        return False


class NotSo(HeaderTest):
    """A test does not hold."""

    __slots__ = ("test",)

    def __init__(self, test: HeaderTest) -> None:
        self.test = test

    def kinds(self) -> int:
        """See `HeaderTest.kinds`."""
        return self.test.kinds()

    def holds(self, layers: LayerPlaces) -> bool:
        """See `HeaderTest.holds`."""
        return not self.test.holds(layers)


def kinds_of(places: tuple[Place, ...]) -> int:
    """Return the kinds of headers that places are in, as `LayerPlaces.kinds`."""
    return reduce(or_, (1 << place.kind for place in places), 0)


def next_passing(reader: FrameReader, layers: LayerPlaces, test: HeaderTest, defragmenter: Any) -> bool:
    """Advance a reader to its next frame that passes, whose headers are `layers` then. Return False if there is none now.

    layers: has to keep the kinds of headers that the test looks at.

    defragmenter: puts IP datagrams together, as `flows.fragments.Defragmenter`.
    """
    frame = reader.frame
    while reader.advance():
        if layers.find(frame.data, frame.start, frame.end, frame.link_type, frame.wire_length):
            datagram = defragmenter.feed(layers.packet, frame.at, frame.number)
            if datagram is not None:
                layers.find_rest(datagram)
            defragmenter.take_reports()
        if test.holds(layers):
            return True
    return False
