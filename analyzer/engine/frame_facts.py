"""What a run knows of its frames beside their bytes: the files in which they are, and the local processes that sent them.

The numbers of frames go on from file to file. So a frame of an earlier file can still be asked for, as long as a session is
open that has it.
"""

from typing import Any

from analyzer.capture.frame_places import FramePlaces
from analyzer.engine.captured_process import process_of
from analyzer.flows.flow import Flow
from analyzer.tls.session import Session

MAX_CAPTURES = 8
"""Captures whose processes are kept at the same time."""


class FrameFacts:
    """Tells sessions that have ended what their frames do not say. places: in which file a frame is; None without files."""

    __slots__ = ("_processes", "places")

    def __init__(self) -> None:
        self.places: FramePlaces | None = None
        self._processes: list[Any] = []

    def begin(self, processes: Any) -> None:
        """Begin a new capture, with its processes (`FrameProcesses`), which grow as it is read.

        Those of the captures before it are kept for the sessions that are still open, up to MAX_CAPTURES.
        """
        self._processes = [*self._processes[1 - MAX_CAPTURES :], processes]

    def tell(self, session: Session) -> None:
        """Set the process of a session's flow, where it is not known yet, and the capture in which the flow begins."""
        flow: Flow = session.flow
        if flow.process is None:
            for known in self._processes:
                if known is not None and known.any:
                    flow.process = process_of(session, self._processes)
                    break
        if self.places is not None:
            flow.capture = self.places.of(flow.first_frame)
