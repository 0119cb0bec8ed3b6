"""Gives a flow what its connection shows at the end, with roles in the place of sides: how it ended, what the path lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.connection import Connection
from analyzer.flows.ending import Ending
from analyzer.flows.flow import Flow

if TYPE_CHECKING:
    import cython


def note_end(flow: Flow, connection: Connection, client: cython.int) -> None:
    """Note at the end of a flow how it ended, what came again, and what the path lost. client: the side that is the client.

    Where a session ends and its connection goes on (`Flow.closed` is `closed`), how that ends is not known yet.
    """
    server: cython.int = 1 - client
    flow.limited = connection.limited
    flow.unseen = (connection.packets_of(client) == 0) | (connection.packets_of(server) == 0) << 1
    delivery = connection.delivery
    ending: Ending = Ending(connection, client)
    if delivery is not None:
        flow.mid_stream = flow.mid_stream or delivery.begins_late
        flow.copies = delivery.copies[0] + delivery.copies[1]
        flow.resent = delivery.resent[client], delivery.resent[server]
        lost = [delivery.unacknowledged[client], delivery.unacknowledged[server]]
        for role in range(2):
            if ending.lacks_end(1 - role):  # what its peer acknowledged last is not in the capture
                lost[role] = 0
        flow.unacknowledged = lost[0], lost[1]
    if flow.closed != "closed":
        flow.ending = ending
