"""Makes the JSON record of the summary, as `output_schemas.SUMMARY` declares it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyzer.capture.capture_reader import FileFacts
from analyzer.store.capture_record import capture_record, conversation_record

if TYPE_CHECKING:
    from analyzer.cli.summary import Summary


def summary_record(summary: "Summary", files: Sequence[FileFacts], n_conversations: int) -> dict[str, Any]:
    """Return the summary of a run. n_conversations: how many conversations are listed."""
    traffic = summary.traffic
    return {
        "captures": [capture_record(facts) for facts in files],
        "packets": traffic.packets,
        "bytes": traffic.n_bytes,
        "protocols": [
            {"depth": share.depth, "protocol": share.label, "packets": share.n_packets, "bytes": share.n_bytes}
            for share in traffic.shares(summary.tls)
        ],
        "conversations": {
            "count": traffic.conversations,
            "top": [conversation_record(one) for one in traffic.top(n_conversations, summary.tls)],
        },
        "sessions": {
            "count": summary.n_sessions,
            "established": summary.n_established,
            "decryption": dict(sorted(summary.decryptions.statuses.items())),
            "reasons": dict(sorted(summary.decryptions.reasons.items())),
            "verdicts": dict(sorted(summary.chain_summary.verdicts.items())),
        },
        "findings": summary.findings.records(),
    }
