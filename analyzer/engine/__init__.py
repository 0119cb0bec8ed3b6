"""The engine: frames in, one ordered stream of events out. The one place that wires the rooms below it."""

from analyzer.engine.engine import Engine
from analyzer.engine.run import Listener, run

__all__ = ["Engine", "Listener", "run"]
