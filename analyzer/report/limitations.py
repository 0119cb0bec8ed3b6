"""Finds out which limitations of the examination a report has to name: what could not be seen, read, or proved, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

Limitation = dict[str, Any]

UNREAD = frozenset(("stopped", "unread_capture", "damaged_capture", "only_since", "only_until", "only_hosts", "only_filter"))
"""Codes of the limitations by which packets of the captures are not in the report: its first page has to say so."""


def part_limitations(since: str | None, until: str | None, hosts: Sequence[str], filter: str | None) -> list[Limitation]:  # noqa: A002
    """Return the limitations of a report on a part of the captures: a span of time, some hosts, what passes a filter."""
    found: list[Limitation] = []
    if since is not None:
        found.append({"code": "only_since", "args": {"since": since}})
    if until is not None:
        found.append({"code": "only_until", "args": {"until": until}})
    if hosts:
        found.append({"code": "only_hosts", "args": {"hosts": ", ".join(hosts)}})
    if filter is not None:
        found.append({"code": "only_filter", "args": {"filter": filter}})
    return found


def limitations(
    inputs: Sequence[dict[str, Any]],
    stores: Sequence[dict[str, Any]],
    sessions: dict[str, Any],
    traffic: dict[str, Any],
    n_gap_bytes: int,
    secrets_given: bool,
    stopped_after: int | None = None,
    unread: Sequence[str] = (),
    left_out: Mapping[str, int] | None = None,
    n_unknown_gaps: int = 0,
) -> list[Limitation]:
    """Return the limitations that apply, each with a code and the arguments of its sentence.

    inputs, stores, sessions, traffic: as in the facts of the report. stopped_after: the last frame that was read, if a signal
    ended the reading before the end of the captures. unread: captures that were not read at all because of that. left_out: how
    many entries of a table were counted and not kept, by the table. n_unknown_gaps: gaps whose bytes are not in n_gap_bytes.
    """
    found: list[Limitation] = []

    def add(code: str, **args: Any) -> None:
        found.append({"code": code, "args": args})

    if stopped_after is not None:
        add("stopped", frame=stopped_after)
    for path in unread:
        add("unread_capture", path=path)
    for one in inputs:
        if one["error"] is not None:
            add("damaged_capture", path=one["path"], **one["error"])
        if one["truncated_frames"]:
            add("snapshot_length", path=one["path"], count=one["truncated_frames"])
        dropped = [interface["dropped"] for interface in one["interfaces"]["first"] if interface["dropped"] is not None]
        if sum(dropped):
            add("dropped_packets", path=one["path"], count=sum(dropped))
        elif not dropped:
            add("drops_unknown", path=one["path"])
    if n_gap_bytes:
        add("gaps", count=n_gap_bytes)
    if n_unknown_gaps:
        add("unknown_gaps", count=n_unknown_gaps)
    encrypted = sessions["count"] - sessions["decryption"].get("not_needed", 0)
    opened = sessions["decryption"].get("decrypted", 0)
    if encrypted and not secrets_given:
        add("no_secrets", count=encrypted)
    elif encrypted > opened:
        add("not_all_decrypted", count=encrypted - opened, total=encrypted)
    last = max((one["last_time"] for one in inputs if one["last_time"] is not None), default=None)
    for store in stores:
        if last is not None and store["date"] > last[:10]:
            add("roots_younger", store=store["store"], date=store["date"], last=last[:10])
    if len(sessions["shown"]) < sessions["count"]:
        add("not_all_shown", shown=len(sessions["shown"]), total=sessions["count"])
    for kind, count in (left_out or {}).items():
        if count:
            add(f"left_out_{kind}", count=count)
    followed = any(session["protocol"] == "quic" for session in sessions["shown"])
    if not followed and any(share["protocol"].startswith("QUIC") for share in traffic["protocols"]):
        add("quic_unread")
    if any(share["protocol"] == "UDP" for share in traffic["protocols"]):
        add("udp_unread")
    return [*found, {"code": "no_network", "args": {}}, {"code": "passive", "args": {}}]
