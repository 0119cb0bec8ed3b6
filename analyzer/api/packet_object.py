"""One frame of the packet list as a typed object."""

from analyzer.api.typed_record import Record
from analyzer.store.output_schemas import PACKET


class Packet(Record, declared=PACKET):
    """One frame: a record of `analyzer packets --format json`."""

    number: int
    time: str | None
    source: str | None
    destination: str | None
    protocol: str
    length: int
    info: str
    capture: str | None
    frame_in_capture: int | None
