"""Makes the JSON records of captures and of conversations, as `summary_schema.SUMMARY` declares them."""

from typing import Any

from analyzer.analysis.traffic import Conversation, link_name
from analyzer.capture.capture_reader import FileFacts
from analyzer.codec.registry import registry
from analyzer.store.clock import rfc3339
from analyzer.store.declaration import path_text

LISTED = 100
"""Interfaces and comments of a capture that are listed; an attacker can write 65,536 of each."""

COMMENT_LENGTH = 1000
"""Characters of a comment that are given."""

LARGEST = (1 << 64) - 1
"""The largest integer in JSON output; counters of a capture file have 64 bits, and their sum may have more."""


def capture_record(facts: FileFacts) -> dict[str, Any]:
    """Return what is known of one capture file."""
    error = facts.error
    return {
        "path": path_text(facts.path),
        "size": facts.size,
        "sha256": facts.sha256,
        "compression": facts.compression or None,
        "format": facts.format,
        "link_types": [link_name(link_type) for link_type in facts.link_types.frames],
        "first_time": _time(facts.first_time),
        "last_time": _time(facts.last_time),
        "first_frame": facts.first_frame,
        "last_frame": facts.last_frame,
        "frames": facts.frames,
        "truncated_frames": facts.truncated_frames,
        "interfaces": {"count": len(facts.interfaces), "first": _interfaces(facts)},
        "comments": {"count": len(facts.comments), "first": _comments(facts)},
        "secrets": facts.n_secrets,
        "error": None if error is None else {"field": error.field, "offset": error.offset, "detail": error.why},
    }


def _interfaces(facts: FileFacts) -> list[dict[str, Any]]:
    dropped: dict[int, int | None] = {}
    for statistics in facts.statistics:
        counts = [n for n in (statistics.dropped_by_interface, statistics.dropped_by_system) if n is not None]
        dropped[statistics.interface] = min(sum(counts), LARGEST) if counts else None
    return [
        {
            "name": one.name,
            "description": one.description,
            "link_type": link_name(one.link_type),
            "snap_length": one.snap_length,
            "filter": one.filter,
            "os": one.os,
            "hardware": one.hardware,
            "dropped": dropped.get(one.number),
        }
        for one in facts.interfaces[:LISTED]
    ]


def _comments(facts: FileFacts) -> list[dict[str, Any]]:
    return [{"frame": number or None, "text": text[:COMMENT_LENGTH]} for number, text in facts.comments[:LISTED]]


def conversation_record(one: Conversation) -> dict[str, Any]:
    """Return one conversation."""
    return {
        "protocol": registry("ip_protocols").names[one.protocol],
        "source": {"address": one.source[0], "port": one.source[1]},
        "destination": {"address": one.destination[0], "port": one.destination[1]},
        "packets_sent": one.packets[0],
        "packets_answered": one.packets[1],
        "bytes_sent": one.n_bytes[0],
        "bytes_answered": one.n_bytes[1],
        "first_time": _time(one.first),
        "last_time": _time(one.last),
        "carries": one.application or None,
    }


def _time(at: int | None) -> str | None:
    return None if at is None or at < 0 else rfc3339(at)
