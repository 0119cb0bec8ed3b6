"""Declares the JSON output of `compare`."""

from analyzer.analysis.clock_offset import NAMES, PACKETS
from analyzer.analysis.interception import CONNECTION, SERVER_NAME, SERVER_RANDOM, VERDICTS
from analyzer.analysis.joined_traces import CLIENT_RANDOM, PAYLOAD, SEQUENCE, TUPLE
from analyzer.analysis.two_times import CHANGED, GONE, KINDS, NEW
from analyzer.codec.codes import SEVERITIES
from analyzer.store.compare_modes import PLACES, TIMES
from analyzer.store.declaration import (
    Schema,
    counted,
    decimal,
    document,
    flag,
    item_of,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)

MOST_LISTED = 10_000
"""Entries of each list, at most. The count beside it says how many there are."""

ASKED, COMMON, NOTHING_COMMON = "asked", "common_connections", "nothing_common"
"""Why they are compared so."""

_CAPTURE = record(
    "one of the two captures",
    {
        "captures": several("its files, in the order of their times", text("a path")),
        "frames": number("its frames"),
        "first_time": or_null(text("time of the first frame; null without any, or without times")),
        "last_time": or_null(text("time of the last frame")),
        "sessions": number("TLS sessions"),
        "connections": or_null(number("TCP connections and exchanges of datagrams; null for two times")),
        "left_out": record(
            "what was not compared, because there is more than the limits allow",
            {
                "sessions": number("sessions"),
                "packets": or_null(number("packets of connections that were not kept; null for two times")),
                "segments": or_null(number("segments with payload that were not kept; null for two times")),
                "values": number("values"),
            },
        ),
    },
)

_CLOCK = record(
    "the clock of B against the clock of A",
    {
        "offset": decimal("seconds that the clock of B is ahead at the first common packet; below 0 if it is behind"),
        "uncertainty": or_null(
            decimal("seconds that the offset may be wrong, whatever the delays are; null where only one direction is common, "
                    "so that the offset includes the delay")
        ),
        "median": decimal("median of the differences of the times of one packet, in seconds"),
        "spread": decimal("median distance of the differences from their median, in seconds"),
        "round_trip": or_null(decimal("the least time from one place to the other and back, in seconds; null if not known")),
        "drift": or_null(decimal("how much faster the clock of B runs, in millionths; null if there are too few packets, or "
                                 "too little time between them")),
        "drift_error": or_null(decimal("standard error of the drift, in millionths")),
        "samples": number("packets, or sessions, from which this was found", 1),
        "by": one_of("found from packets that both places have, or from sessions with the same server name", (PACKETS, NAMES)),
    },
)  # fmt: skip

_DIFFERENCE = record(
    "one thing that differs",
    {
        "fact": text("what: `certificate`, `issuer`, `ja4`, `version`, `cipher_suite`, `server_random`; of a connection "
                     "`client` or `server` for its addresses, `sequence_numbers`, and with the side before it "
                     "`mss`, `window_scale`, `window`, `sack_permitted`, `timestamps`, `options`, `reset`"),
        "a": or_null(text("what it is at A; null for nothing")),
        "b": or_null(text("what it is at B; null for nothing")),
    },
)  # fmt: skip

_PAIR = record(
    "a session that both captures have, or two sessions that may belong together",
    {
        "a": number("id of the session at A"),
        "b": number("id of the session at B"),
        "server_name": or_null(text("the server name")),
        "by": one_of("what joins them", (CLIENT_RANDOM, SERVER_RANDOM, CONNECTION, SERVER_NAME)),
        "interception": one_of(
            "whether somebody between A and B ended TLS: `proven` by another ServerHello or certificate for one client random, "
            "or another client random in one TCP connection; `excluded` by equal randoms and an equal key share, ServerHello "
            "of TLS 1.3 or certificate; `possible` where only name and time join them, and something differs; `unknown` where "
            "these are missing",
            VERDICTS,
        ),
        "differences": several("what differs", item_of("difference")),
    },
)

_ALONE_SESSION = record(
    "a session that only one place has",
    {
        "session": number("its id"),
        "server_name": or_null(text("the server name")),
        "first_frame": number("the first frame of its connection", 1),
    },
)

_MISSING = record(
    "segments with payload",
    {
        "segments": number("how many"),
        "bytes": number("their bytes, without those that came in another segment"),
        "frames": several("the first of their frames, in the capture that has them", number("a frame", 1)),
    },
)

_PASSAGE = record(
    "one direction of a connection",
    {
        "first": or_null(one_of("the place where its packets come first; null where that is not known", ("a", "b"))),
        "hops_a": or_null(number("time to live, or hop limit, at A; null without a packet", 0, 255)),
        "hops_b": or_null(number("the same at B", 0, 255)),
        "segments_a": number("segments with payload at A"),
        "segments_b": number("segments with payload at B"),
        "bytes_a": number("different bytes in them"),
        "bytes_b": number("different bytes in them"),
        "resent_a": or_null(number("segments at A without a byte that had not come before; null for datagrams")),
        "resent_b": or_null(number("segments at B without a byte that had not come before; null for datagrams")),
        "lost": reference("lost between A and B: not acknowledged, or sent again until a copy came", "missing"),
        "missed_a": reference("in the capture of B and not in that of A, which they must have passed", "missing"),
        "missed_b": reference("in the capture of A and not in that of B, although they came there", "missing"),
        "unknown_a": reference("only at A, without a sign what became of them", "missing"),
        "unknown_b": reference("only at B, without a sign where they come from", "missing"),
    },
)

_END = record("an end of a connection", {"address": text("its address"), "port": number("its port", 0, 65535)})

_CONNECTION = record(
    "a connection that both captures have",
    {
        "protocol": one_of("its protocol", ("tcp", "udp")),
        "by": one_of("what joins both", (CLIENT_RANDOM, SEQUENCE, TUPLE, PAYLOAD)),
        "client_a": reference("the client as A sees it", "end"),
        "server_a": reference("the server as A sees it", "end"),
        "client_b": reference("the client as B sees it", "end"),
        "server_b": reference("the server as B sees it", "end"),
        "frame_a": number("its first frame at A", 1),
        "frame_b": number("its first frame at B", 1),
        "changed": several("what a device between both changed", item_of("difference")),
        "from_client": or_null(reference("what the client sent; null where clocks or positions cannot be compared", "passage")),
        "from_server": or_null(reference("what the server sent; null in the same cases", "passage")),
    },
)

_ALONE = record(
    "a connection that only one capture has",
    {
        "protocol": one_of("its protocol", ("tcp", "udp")),
        "client": reference("the client", "end"),
        "server": reference("the server", "end"),
        "first_frame": number("its first frame", 1),
        "covered": or_null(flag("whether the other capture was running then; null where that is not known")),
        "expected": flag("whether another connection between the same two addresses came to both places"),
    },
)


_ONLY = record(
    "what only one place has",
    {
        "connections": counted("connections", "listed", _ALONE),
        "covered": or_null(number("connections during which the other capture was running; null where this is known of none")),
        "expected": or_null(number("those of them that are `expected`; any makes a difference; null in the same case")),
        "sessions": counted("TLS sessions", "listed", _ALONE_SESSION),
    },
)

_TOTALS = record(
    "sums over all connections that both places have; null where clocks or positions of none can be compared",
    {
        name: reference(meaning, "missing")
        for name, meaning in (
            ("lost_from_client", "lost between, on the way to servers"),
            ("lost_from_server", "lost between, on the way to clients"),
            ("missed_a", "missed by the capture of A"),
            ("missed_b", "missed by the capture of B"),
            ("unknown_a", "only at A, for an unknown reason"),
            ("unknown_b", "only at B, for an unknown reason"),
        )
    },
)

CHANGE = record(
    "one difference between two times",
    {
        "change": one_of("`new` in B, `gone` since A, or `changed` at a server", (NEW, GONE, CHANGED)),
        "kind": one_of("what kind of value it is", KINDS),
        "value": or_null(text("the value; of a finding or a problem of a chain the code; null for `changed`")),
        "where": several(
            "servers that have it; for `ja4` clients; the first of them", text("a server name, address or endpoint")
        ),
        "severity": or_null(one_of("of a finding", SEVERITIES)),
        "detail": or_null(text("of a finding or a problem, its sentence; of a certificate, its subject")),
        "issuer": or_null(text("of a certificate")),
        "not_after": or_null(text("of a certificate, its last day")),
        "before": several("for `changed`, the values in A", text("a value")),
        "after": several("for `changed`, the values in B", text("a value")),
        "issuers_before": several("for a `changed` certificate, who issued those in A", text("a name")),
        "issuers_after": several("for a `changed` certificate, who issued those in B", text("a name")),
        "sessions": or_null(number("how many sessions have it; null for hosts and protocols, and for `changed`")),
        "session": or_null(number("id of the first one")),
        "frame": or_null(number("its frame", 1)),
        "certain": flag(
            "false where the other capture may have it too, because certificates of this server are encrypted there"
        ),
    },
)

_CHANGES = record(
    "how many",
    {NEW: number("only in B"), GONE: number("only in A"), CHANGED: number("servers that have another value in B")},
)

COMPARE: Schema = document(
    "compare",
    record(
        "Two captures compared: `analyzer compare A B --format json`.",
        {
            "mode": one_of("as one traffic at two places, or as two times", (PLACES, TIMES)),
            "why": one_of("why so: as an option asked, as connections are common, as none is", (ASKED, COMMON, NOTHING_COMMON)),
            "different": flag("whether there is a difference, for which the exit status is 3"),
            "a": reference("the first capture", "capture"),
            "b": reference("the second capture", "capture"),
            "clock": or_null(reference("of two places; null where nothing is common", "clock")),
            "interception": or_null(
                record(
                    "of two places, how many sessions have which verdict",
                    {
                        "verdict": one_of("the worst of them; `unknown` without sessions", VERDICTS),
                        **{one: number(f"sessions with `{one}`") for one in VERDICTS},
                    },
                )
            ),
            "same_client_random": or_null(number("of two places, sessions that have the same client random at both")),
            "sessions": or_null(
                counted("of two places, sessions that both have, or that may belong together", "listed", _PAIR)
            ),
            "connections": or_null(counted("of two places, connections that both have", "listed", _CONNECTION)),
            "totals": or_null(_TOTALS),
            "only_a": or_null(reference("of two places, what only A has", "only")),
            "only_b": or_null(reference("of two places, what only B has", "only")),
            "counts": or_null(
                record("of two times, how many differences of each kind", {kind: reference(kind, "changes") for kind in KINDS})
            ),
            "differences": or_null(counted("of two times, what differs", "listed", CHANGE)),
        },
    ),
    {
        "capture": _CAPTURE, "clock": _CLOCK, "difference": _DIFFERENCE, "missing": _MISSING, "passage": _PASSAGE, "end": _END,
        "only": _ONLY, "changes": _CHANGES,
    },
)  # fmt: skip
