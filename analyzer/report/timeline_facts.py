"""Makes the timeline of a report: what happened when, in the order of time, at most as many entries as somebody reads."""

from collections.abc import Callable, Sequence
from typing import Any

MOST_ENTRIES = 1000

_LISTED = ("high", "medium", "low")
"""Severities of findings that are in the timeline."""


def timeline(
    inputs: Sequence[dict[str, Any]],
    brief: Sequence[dict[str, Any]],
    shown: Sequence[dict[str, Any]],
    time_of: Callable[[int], str | None],
) -> list[Any]:
    """Return the entries in the order of their times; what has no time is left out.

    inputs: facts of the captures. brief: beginning and end of sessions. shown: records of sessions with their steps. time_of:
    returns the time of a frame, if it is known. If there are too many entries, those of sessions without an alert or finding
    are left out, the last ones first.
    """
    entries: list[dict[str, Any]] = []

    def add(
        time: str | None, kind: str, session: int | None, frame: int | None, code: str | None, severity: str | None
    ) -> None:
        if time is not None:
            entry = {"time": time, "kind": kind, "session": session, "frame": frame, "code": code, "severity": severity}
            entries.append(entry)

    for one in inputs:
        add(one["first_time"], "capture_began", None, one["first_frame"], one["path"], None)
        add(one["last_time"], "capture_ended", None, one["last_frame"], one["path"], None)
    for record in shown:
        for step in record["steps"]:
            if step["kind"] == "alert":
                add(step["time"], "alert", record["id"], step["frame"], step["title"], "medium" if step["fatal"] else "info")
        for finding in record["findings"]:
            if finding["severity"] in _LISTED:
                frame = finding["frames"][0] if finding["frames"] else None
                time = record["end_time"] if frame is None else time_of(frame)
                add(time, "finding", record["id"], frame, finding["code"], finding["severity"])
    del entries[MOST_ENTRIES:]
    for record in brief[: (MOST_ENTRIES - len(entries)) // 2]:
        add(record["start_time"], "session_began", record["id"], record["first_frame"], None, None)
        add(record["end_time"], "session_ended", record["id"], record["last_frame"], None, None)
    return sorted(
        entries, key=lambda entry: (entry["time"], entry["kind"], -1 if entry["session"] is None else entry["session"])
    )
