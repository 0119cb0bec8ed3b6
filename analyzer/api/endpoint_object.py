"""One end of a connection as a typed object; see `session_parts`."""

from analyzer.api.typed_record import Record
from analyzer.store.schema import DEFINITIONS


class Endpoint(Record, declared=DEFINITIONS["endpoint"]):
    """One end of a connection: an address and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
