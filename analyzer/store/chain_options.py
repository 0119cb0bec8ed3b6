"""What chains are validated by, as users name it: trust stores, intermediates, revocation lists, logs, and the moment.

All named files are read at once, so that a wrong name is reported before a capture is read. Without names, the roots of Mozilla
are read when the first chain comes.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.store.chain_verdicts import Chains
from analyzer.store.validation_time import CAPTURE
from analyzer.x509.trust import MOZILLA, Trust, Unreadable, read_certificates, read_revocation_lists

if TYPE_CHECKING:
    from analyzer.x509.ct_logs import Logs


def read_chains(
    trust: Sequence[str] = (),
    intermediates: Sequence[str] = (),
    crls: Sequence[str] = (),
    ct_logs: str | None = None,
    at: int | str = CAPTURE,
    *,
    strict: bool = False,
) -> Chains:
    """Return what validates the certificates of a run.

    trust: `mozilla`, `system` or paths; `mozilla` if empty. intermediates, crls, ct_logs: paths. at: `capture` for each
    session's own start, `now`, or nanoseconds since the epoch. strict: as for `Judge`. Raises
    `Unreadable` for a file that cannot be read.
    """
    stores = Trust(trust or [MOZILLA])
    if trust:
        stores.record()
    return Chains(
        stores,
        intermediates=[der for path in intermediates for der in read_certificates(path)],
        crls=[der for path in crls for der in read_revocation_lists(path)],
        logs=None if ct_logs is None else _read_logs(ct_logs),
        at=None if at == CAPTURE else time.time_ns() if isinstance(at, str) else at,
        strict=strict,
    )


def _read_logs(path: str) -> "Logs":
    from analyzer.x509.ct_logs import LIST_SIZE, read_logs

    try:
        with open(path, "rb") as file:
            return read_logs(file.read(LIST_SIZE + 1))
    except (OSError, ValueError) as error:
        raise Unreadable(path, str(getattr(error, "strerror", None) or error)) from error
