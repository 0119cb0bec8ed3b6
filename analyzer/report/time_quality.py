"""How good the times of the captures are: resolution, order, jumps, and their offset against the clocks of servers.

The times of a capture are those of the computer that made it. Two kinds of servers say what time it is for them. In HTTP, a
response has the field `Date`, in whole seconds (RFC 9110 section 6.6.1); if a cache had kept it, `Age` says for how long (RFC
9111 section 5.1). Up to TLS 1.2, the random of a ServerHello may begin with the time (RFC 5246 section 7.4.1.2). Most servers
now fill it with random bytes (draft-mathewson-no-gmtunixtime), and in TLS 1.3 it is always random. It is taken for a time only
if it is within a day of the capture, and if most sessions with this server have such a one.

An offset is what the server's clock was ahead, in seconds. The part of a second that `Date` and gmt_unix_time leave out makes
it up to one second too small, and the way to the capture a little more. Servers may be wrong, too; many that agree are better
evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from analyzer.analysis.integrity_observations import clock_jumps
from analyzer.analysis.server_time import server_time
from analyzer.capture.capture_reader import FileFacts
from analyzer.report.capture_observations import CaptureWatch
from analyzer.store.capture_record import LISTED
from analyzer.store.clock import rfc3339
from analyzer.text.formatting import endpoint_text
from analyzer.tls.session import Session

PLAUSIBLE = 86_400
"""Seconds between a gmt_unix_time and the capture within which it is taken for a time. A random number is so close in one of
25,000 cases.
"""

MOST_SERVERS = 1000
"""Servers that are distinguished."""

SAMPLES = 1000
"""Offsets that are kept of each server."""

SHOWN_SERVERS = 100
"""Servers that the facts list, those with the most offsets."""

MOST_JUMPS = 100
"""Jumps that the facts list."""

_TLS = range(0x0300, 0x0304)
_SOURCES = ("http_date", "gmt_unix_time")


@dataclass(slots=True)
class _Offsets:
    """Offsets of one server by one source, in nanoseconds. n_other: values that are no plausible time."""

    values: list[int] = field(default_factory=list)
    count: int = 0
    n_other: int = 0

    def add(self, offset: int) -> None:
        self.count += 1
        if len(self.values) < SAMPLES:
            self.values.append(offset)


class ServerClocks:
    """Collects the offsets of servers."""

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, str], _Offsets] = {}

    def take(self, session: Session) -> None:
        """Take a session that has ended."""
        server = endpoint_text(*session.flow.server)
        random = session.handshake.transcript.server_random
        if session.log.version in _TLS and len(random) >= 4:
            self._take_random(server, session, int.from_bytes(random[:4]))
        work: Any = session.handshake.decryption
        exchanges: Any = () if work is None or work.application is None else work.application.exchanges
        for exchange in exchanges:
            response = exchange.response
            date = None if response is None else server_time(response.headers or ())
            if date is not None and response.at >= 0:
                self._add(server, "http_date", date * 1_000_000_000 - response.at)

    def records(self) -> list[dict[str, Any]]:
        """Return the servers with offsets, those with the most first, at most SHOWN_SERVERS.

        count: of all offsets; median, least and most are of the first SAMPLES. Positive: the clock of the server was ahead.
        """
        found: list[dict[str, Any]] = []
        for (server, source), offsets in self._offsets.items():
            if offsets.values and offsets.count > offsets.n_other:
                found.append(
                    {
                        "server": server,
                        "source": source,
                        "count": offsets.count,
                        "median_seconds": median(offsets.values) / 1e9,
                        "least_seconds": min(offsets.values) / 1e9,
                        "most_seconds": max(offsets.values) / 1e9,
                    }
                )
        found.sort(key=lambda one: (-one["count"], one["server"], _SOURCES.index(one["source"])))
        return found[:SHOWN_SERVERS]

    def _take_random(self, server: str, session: Session, seconds: int) -> None:
        at = next((one.at for one in session.log.messages if one.name == "server_hello"), -1)
        if at < 0:
            return
        offset = seconds * 1_000_000_000 - at
        if abs(offset) <= PLAUSIBLE * 1_000_000_000:
            self._add(server, "gmt_unix_time", offset)
        else:
            self._of(server, "gmt_unix_time").n_other += 1

    def _add(self, server: str, source: str, offset: int) -> None:
        self._of(server, source).add(offset)

    def _of(self, server: str, source: str) -> _Offsets:
        known = self._offsets.get((server, source))
        if known is None:
            known = _Offsets()
            if len(self._offsets) < 2 * MOST_SERVERS:
                self._offsets[server, source] = known
        return known


def time_facts(files: Sequence[FileFacts], watch: CaptureWatch, clocks: ServerClocks) -> dict[str, Any]:
    """Return the entry `time` of the facts of a report. Call it when the run has ended.

    files: `CaptureRun.reader.files`. backward: frames that are earlier than the one before on the same interface. jumps: steps
    backwards of at least a second, and steps that the clocks of at least two hosts did not make: `frame` is the first one
    after it, and `seconds` what the clock was set.
    """
    first = min((one.first_time for one in files if one.first_time is not None), default=None)
    last = max((one.last_time for one in files if one.last_time is not None), default=None)
    series = watch.integrity.interfaces.values()
    backward = sum(one.n_backward for one in series)
    jumps = clock_jumps(watch.integrity)
    return {
        "first": None if first is None else rfc3339(first),
        "last": None if last is None else rfc3339(last),
        "duration_seconds": None if first is None or last is None else (last - first) / 1e9,
        "resolution": list(dict.fromkeys(one.resolution for facts in files for one in facts.interfaces))[:LISTED],
        "backward": backward,
        "largest_backward_seconds": max(one.largest_backward for one in series) / 1e9 if backward else None,
        "jumps": [{"frame": frame, "seconds": seconds} for frame, seconds in jumps[:MOST_JUMPS]],
        "n_jumps": len(jumps),
        "server_offsets": clocks.records(),
    }
