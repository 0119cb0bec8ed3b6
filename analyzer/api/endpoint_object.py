"""One end of a connection as a typed object; see `session_parts`."""

from analyzer.api.typed_record import Record
from analyzer.packet.addresses import end_text
from analyzer.store.schema import DEFINITIONS


class Endpoint(Record, declared=DEFINITIONS["endpoint"]):
    """One end of a connection: an address and a port; a hardware address has none."""

    address: str
    port: int | None

    def __str__(self) -> str:
        return end_text(self.address, self.port)
