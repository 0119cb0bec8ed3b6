"""Declares what the session record says of QUIC beside TLS."""

from analyzer.store.declaration import Schema, flag, free_form, number, one_of, or_null, record, reference, several, text

_FRAME = number("number of a frame in the run, from 1", minimum=1)
_ID = text("connection ID in hex; empty for one without bytes", "^([0-9a-f]{2})*$")
_VERSION = text("IANA name of a version, or its number in hex")


def _by_role(description: str, client: Schema, server: Schema | None = None) -> Schema:
    return record(description, {"client": client, "server": client if server is None else server})


_COUNTS = record(
    "by encryption level; of short headers and 0-RTT only where there are secrets",
    {
        "initial": number("Initial packets"),
        "early_data": number("0-RTT packets"),
        "handshake": number("Handshake packets"),
        "application": number("1-RTT packets"),
    },
)

QUIC = record(
    "what QUIC shows beside TLS (RFC 9000)",
    {
        "versions": several("the versions of the packets that opened, in the order of their use", _VERSION),
        "offered_versions": or_null(several("of a Version Negotiation packet; null where none came", _VERSION)),
        "retries": several("frames of Retry packets with a right integrity tag", _FRAME),
        "original_connection_id": text("Destination Connection ID of the client's first Initial, in hex", "^([0-9a-f]{2})*$"),
        "connection_ids": _by_role(
            "the connection IDs under which each side is reached, in the order in which they were seen",
            several("of the client", _ID),
            several("of the server", _ID),
        ),
        "paths": several(
            "the addresses that it used, in order; more than one where the client moved, or was given another port on the path",
            record(
                "one path",
                {
                    "client": reference("the client's address", "endpoint"),
                    "server": reference("the server's address", "endpoint"),
                    "frame": _FRAME,
                },
            ),
        ),
        "transport_parameters": _by_role(
            "what each side announces in the handshake (RFC 9000 section 18)",
            or_null(several("in order; null where it cannot be seen", free_form("identifier, name and value of a parameter"))),
        ),
        "packets": _by_role("packets that were opened", _COUNTS),
        "missing": _by_role(
            "packets that the receiver acknowledged and the capture lacks, as far as acknowledgements were decrypted",
            number("packets of this side"),
        ),
        "unacknowledged": _by_role(
            "packet numbers up to the last one seen that are neither in the capture nor acknowledged: lost on the path, not "
            "sent, or their acknowledgement is not in the capture",
            number("packet numbers of this side"),
        ),
        "unopened": number("packets that no key opened although others of their kind opened: somebody else's, or damaged"),
        "key_updates": _by_role("frames in which a side began to use new keys", several("frames of this side", _FRAME)),
        "spin_bit": _by_role(
            "whether the spin bit of 1-RTT packets changes (RFC 9000 section 17.4)", or_null(flag("null without packets"))
        ),
        "ecn": _by_role(
            "marks of congestion that a side reports to have received, in its last report",
            or_null(
                record(
                    "null where it reports none",
                    {"ect0": number("ECT(0)"), "ect1": number("ECT(1)"), "ce": number("CE")},
                )
            ),
        ),
        "ecn_sent": _by_role(
            "ECN codepoints in the IP headers of the 1-RTT packets of a side, as the capture has them (RFC 3168 section 5)",
            or_null(
                record(
                    "packets with each codepoint; null where no such header was read",
                    {"not_ect": number("Not-ECT"), "ect0": number("ECT(0)"), "ect1": number("ECT(1)"), "ce": number("CE")},
                )
            ),
        ),
        "handshake_done": or_null(number("frame in which the server confirmed the handshake", minimum=1)),
        "close": or_null(
            record(
                "the first CONNECTION_CLOSE; null where none was seen",
                {
                    "from": one_of("which side sent it", ("client", "server")),
                    "frame": _FRAME,
                    "kind": one_of("whose code it is", ("transport", "application")),
                    "code": number("the code"),
                    "name": or_null(text("its name by the registry of its protocol; null where it has none")),
                    "reason": text("the text in it"),
                },
            )
        ),
        "stateless_reset": or_null(
            record(
                "the first stateless reset; null where none was seen",
                {"from": one_of("which side sent it", ("client", "server")), "frame": _FRAME},
            )
        ),
    },
)
