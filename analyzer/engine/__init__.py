"""The engine: takes frames, and returns one ordered stream of events. Only here are the lower packages connected."""

from analyzer.engine.engine import Engine
from analyzer.engine.run import Listener, run

__all__ = ["Engine", "Listener", "run"]
