"""The colours of packets in a list: the first rule whose filter passes gives them (`coloring_rules.csv`).

The rules are Wireshark's default ones, in their order, as far as their fields are here: those of OSPF, SCTP, SMB and so on are
left out, and checksums are not verified. `HTTP` is that of port 80, and HTTP/2 where it can be decrypted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.capture.frame import Frame
from analyzer.engine import Engine
from analyzer.filters.compiled_filter import CompiledFilter, compile_filter
from analyzer.filters.field_table import field_table
from analyzer.filters.frame_values import FrameValues
from analyzer.filters.value_strings import rows
from analyzer.tls.events import Event

_LEVELS = (0, 95, 135, 175, 215, 255)
"""The levels of the colour cube of terminals with 256 colours (ctlseqs of xterm)."""


@dataclass(frozen=True, slots=True)
class ColoringRule:
    """A rule. foreground, background: red, green and blue in hex."""

    name: str
    text: str
    foreground: str
    background: str

    @property
    def style(self) -> str:
        """The colours as parameters of Select Graphic Rendition (ECMA-48 section 8.3.117), of 256 colours."""
        return f"38;5;{_nearest(self.foreground)};48;5;{_nearest(self.background)}"


def coloring_rules() -> list[ColoringRule]:
    """Return the rules, the first of which that passes counts."""
    return [ColoringRule(row["name"], row["filter"], row["foreground"], row["background"]) for row in rows("coloring_rules")]


class Coloring:
    """Finds the rule of each frame, in the order of the capture."""

    def __init__(self, engine: Engine) -> None:
        """engine: that gets every frame before."""
        table = field_table()
        self._rules: list[tuple[CompiledFilter, ColoringRule]] = [
            (compile_filter(rule.text, table), rule) for rule in coloring_rules()
        ]
        fields = frozenset().union(*(compiled.fields for compiled, _ in self._rules))
        self._values = FrameValues(fields, engine)

    def rule(self, frame: Frame, events: Sequence[Event]) -> ColoringRule | None:
        """Return the rule of a frame, None where none passes. events: those that it caused. Every frame has to be asked for."""
        values = self._values
        values.take(frame, events)
        return next((rule for compiled, rule in self._rules if compiled.matches(values)), None)


def _nearest(color: str) -> int:
    """Return the nearest colour of the cube, or of the greys, by its number."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (0, 2, 4))
    places = [min(range(6), key=lambda place: abs(_LEVELS[place] - one)) for one in (red, green, blue)]
    cube = 16 + 36 * places[0] + 6 * places[1] + places[2]
    away = sum((_LEVELS[place] - one) ** 2 for place, one in zip(places, (red, green, blue), strict=True))
    step = min(range(24), key=lambda step: abs(8 + 10 * step - (red + green + blue) // 3))
    grey = sum((8 + 10 * step - one) ** 2 for one in (red, green, blue))
    return 232 + step if grey < away else cube
