"""The process of a session, by what a capture says about the processes of its frames."""

from collections.abc import Iterable

from analyzer.capture.processes.process_blocks import FrameProcesses
from analyzer.capture.processes.process_identity import Process
from analyzer.tls.session import Session


def process_of(session: Session, captures: Iterable[FrameProcesses | None]) -> Process | None:
    """Return the process of a session that has ended; None if no capture names one.

    The frames of the handshake are asked too: systems know no process for the first packet of a connection that comes in.
    """
    for known in captures:
        if known is not None and known.any:
            frames = [message.frame for message in session.log.messages]
            for frame in (session.flow.first_frame, *frames, session.flow.last_frame):
                process = known.of(frame)
                if process is not None:
                    return process
    return None
