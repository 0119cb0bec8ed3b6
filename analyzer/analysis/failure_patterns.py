"""Finds clients whose sessions with one server fail again and again in the way that oracle attacks need.

Such attacks send a changed ciphertext in each session and learn from how the server rejects it. Against RSA key exchange
(Bleichenbacher 1998, ROBOT) the ciphertext is in ClientKeyExchange, and the session fails before the server's Finished. Against
CBC cipher suites (padding oracles: Vaudenay 2002, Lucky Thirteen, POODLE) it is in a record, and the alert is bad_record_mac or
decryption_failed. An alert that is encrypted and was not decrypted does not count, because nearly all sessions end with one.
"""

from typing import Any

from analyzer.analysis.capture_finding import MAX_OCCURRENCES, CaptureFinding, Occurrence
from analyzer.tls.suites import suite

LEAST_FAILURES = 10
"""Failed sessions of one client with one server that are a pattern. An attack needs thousands, a test of a server about ten."""

LEAST_PART = 0.5
"""The part of all sessions of that client with that server that must have failed in this way."""

MAX_PAIRS = 1 << 16
"""Pairs of client and server that are counted, each with about 300 bytes."""

MAX_REPORTED = 16
"""Pairs that are reported for each pattern, those with the most failures first."""

_REJECTIONS = frozenset(
    {
        "bad_record_mac", "decrypt_error", "decryption_failed", "handshake_failure", "illegal_parameter", "internal_error",
        "unexpected_message",
    }
)  # fmt: skip
"""Alerts with which servers reject a wrong premaster secret, or a Finished that follows from it."""

_MAC_ALERTS = frozenset({"bad_record_mac", "decryption_failed"})


class _Pair:
    """The sessions of a client with a server. failed: by pattern, how many failed; places: the first of these."""

    __slots__ = ("failed", "n_sessions", "places")

    def __init__(self) -> None:
        self.n_sessions = 0
        self.failed = [0, 0]
        self.places: tuple[list[Occurrence], list[Occurrence]] = ([], [])


class FailurePatterns:
    """Counts the sessions of each pair of client and server that failed. uncounted: sessions of further pairs."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str, int], _Pair] = {}
        self.uncounted = 0

    def take(self, record: dict[str, Any]) -> None:
        """Take the record of a session."""
        key = record["client"]["address"], record["server"]["address"], record["server"]["port"]
        pair = self._pairs.get(key)
        if pair is None:
            if len(self._pairs) >= MAX_PAIRS:
                self.uncounted += 1
                return
            pair = self._pairs[key] = _Pair()
        pair.n_sessions += 1
        for pattern, frame in _failures(record):
            pair.failed[pattern] += 1
            if len(pair.places[pattern]) < MAX_OCCURRENCES:
                pair.places[pattern].append(Occurrence(record["id"], (frame,) if frame else ()))

    def findings(self) -> list[CaptureFinding]:
        """Return the findings about pairs with a pattern."""
        found: list[CaptureFinding] = []
        for pattern, code, what in (
            (0, "failed_key_exchanges", "ended after an RSA-encrypted ClientKeyExchange, and the server did not finish"),
            (1, "failed_records", "with a CBC cipher suite ended with an alert about a wrong MAC or padding"),
        ):
            pairs = [
                (-pair.failed[pattern], key, pair)
                for key, pair in self._pairs.items()
                if pair.failed[pattern] >= max(LEAST_FAILURES, LEAST_PART * pair.n_sessions)
            ]
            for count, (client, server, port), pair in sorted(pairs, key=lambda entry: entry[:2])[:MAX_REPORTED]:
                detail = f"{-count} of {pair.n_sessions} sessions of {client} with port {port} of {server} {what}"
                found.append(CaptureFinding(code, "medium", detail, -count, tuple(pair.places[pattern])))
        return found


def _failures(record: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the patterns that a session fits, and the frame that shows it."""
    number = record["cipher_suite_id"]
    chosen = None if number is None else suite(number)
    if chosen is None or chosen.tls13:
        return []
    alerts = record["alerts"]
    if chosen.key_exchange in ("RSA", "RSA_PSK") and record["established"] is False and not record["gaps"]:
        sent = [message["frame"] for message in record["handshake"] if message["type"] == "client_key_exchange"]
        said = [alert for alert in alerts if alert["from"] == "server"]
        if sent and not record["resumed"] and (not alerts or any(alert["description"] in _REJECTIONS for alert in said)):
            return [(0, said[0]["frame"] if said else sent[0])]
    if chosen.mode == "cbc":
        return [(1, alert["frame"]) for alert in alerts if alert["description"] in _MAC_ALERTS][:1]
    return []
