"""Makes the facts of a report about the inventory: that of `analyzer inventory`, with shorter lists, and how long they were.

The certificates of the captures are facts of their own, so they are not in it a second time.
"""

from typing import Any

from analyzer.store.inventory_record import Moment, inventory_record
from analyzer.store.inventory_tables import Inventory
from analyzer.store.validation_time import read_moment

MOST_LISTED = 1_000
"""Entries that each list has at most."""

SOON = 30 * 86_400
"""Seconds after the last packet in which a certificate counts as expiring."""

_LISTS = ("servers", "clients", "ja4")
_WEAK = ("agreed", "offered", "certificates")


def inventory_facts(inventory: Inventory, at: str | None) -> dict[str, Any]:
    """Return the entry `inventory` of the facts. at: the moment with which validity is compared, None if it is not known."""
    moment = None if at is None else read_moment(at)
    record = inventory_record(inventory, Moment(moment if isinstance(moment, int) else None, SOON))
    weak = record["weak"]
    counts = {key: len(record[key]) for key in _LISTS} | {f"weak_{key}": len(weak[key]) for key in _WEAK}
    del record["certificates"]
    return record | {
        **{key: record[key][:MOST_LISTED] for key in _LISTS},
        "weak": {key: weak[key][:MOST_LISTED] for key in _WEAK},
        "counts": counts,
    }
