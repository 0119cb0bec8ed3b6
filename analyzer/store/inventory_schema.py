"""Declares the JSON form of `analyzer inventory`: one object. `left_out` says what is beyond the limits of its lists."""

from analyzer.analysis.key_exchange_class import ANSWERS, KEY_EXCHANGES
from analyzer.codec.codes import SEVERITIES
from analyzer.store.declaration import (
    Schema,
    document,
    flag,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.inventory_tables import AGREED, SHOWN
from analyzer.store.schema import CERTIFICATE_KEYS, DEFINITIONS, ENDPOINT, FRAME, SHA256, described
from analyzer.store.seen_certificates import STATES, WEAK_CERTIFICATES
from analyzer.store.session_sighting import WEAKNESSES
from analyzer.store.summary_schema import CAPTURE, PART

_SESSIONS = number("sessions")
_FIRST = or_null(reference("start of the first of its sessions; null where the capture has no time", "time"))
_LAST = or_null(reference("end of the last of its sessions; null where the capture has no time", "time"))

_DAYS = 4_000_000
"""More days than there are in the years that dates can have."""

_TITLES = {
    "versions": "versions that were agreed on",
    "cipher_suites": "cipher suites that were agreed on, by IANA's names",
    "groups": "groups of the key exchange, by IANA's names",
    "alpn": "application protocols that were chosen",
    "signature_schemes": "schemes with which servers signed, by IANA's names; no value up to TLS 1.1, which names none",
}


def _values(description: str, key: str = "value") -> Schema:
    return record(
        description,
        {
            "values": several(
                "those that occur most first",
                record("one value", {key: text("the value"), "sessions": number("sessions that have it", 1)}),
            ),
            "unknown": number("sessions without a value, or whose value the capture does not show"),
            "beyond": number("occurrences of further values, which are not told apart"),
        },
    )


_WHAT_IS_SHOWN = {
    "visible": "sessions whose list of the server's certificates is in the capture",
    "cut": "sessions with a part of the list",
    "not_visible": "sessions that do not show whether a certificate was sent, as in TLS 1.3 without keys",
    "absent": "sessions that show that the server sent none, as resumed ones do",
}

_SHOWN: dict[str, Schema] = {name: number(_WHAT_IS_SHOWN[name]) for name in SHOWN.values()}

_OPENABLE = record(
    "how much", {"sessions": number("sessions with encrypted bytes"), "bytes": number("encrypted bytes of both sides")}
)

_ANSWERS = record(
    "what became of post-quantum groups, in sessions",
    dict(
        zip(
            ANSWERS,
            (
                number("the key exchange uses one"),
                number("the client offered some, and the server chose another key exchange"),
                number("the client offered none"),
                number("the capture lacks the ClientHello or the ServerHello, or there was no key exchange"),
            ),
            strict=True,
        )
    ),
)

_KINDS = dict(
    zip(
        KEY_EXCHANGES,
        (
            "ML-KEM and a curve",
            "ML-KEM alone",
            "Diffie-Hellman or RSA alone",
            "Diffie-Hellman and a pre-shared key of TLS 1.3, or resumed up to TLS 1.2: as open as the session of the key",
            "a pre-shared key alone, or with RSA or Diffie-Hellman up to TLS 1.2",
            "the cipher suite does not encrypt",
            "the capture does not show it",
        ),
        strict=True,
    )
)

READINESS = record(
    "how far the sessions resist quantum computers",
    {
        "answers": _ANSWERS,
        "key_exchanges": record(
            "sessions by key exchange", {kind: number(description) for kind, description in _KINDS.items()}
        ),
        "recorded": record(
            "sessions with encrypted bytes in the capture by key exchange, and these bytes",
            {kind: described(_OPENABLE, description) for kind, description in _KINDS.items()},
        ),
        "openable_later": described(
            _OPENABLE, "what is recorded today and can be opened when the key exchange is broken: it is classical alone"
        ),
        "perhaps_openable_later": described(
            _OPENABLE, "what can be opened then too if the session that is resumed, or gave the pre-shared key, was"
        ),
    },
)

SERVER = record(
    "one server",
    {
        "address": text("its address"),
        "port": number("its port", maximum=65535),
        "names": _values("names that clients asked for", "server_name"),
        **{name: _values(_TITLES[name]) for name in AGREED},
        "certificates": record(
            "its certificates, and what the capture shows of them",
            {
                "sent": several(
                    "its own certificates; those of the chain are in the list of all",
                    record(
                        "one certificate",
                        {"sha256": described(SHA256, "SHA-256 of the certificate, in hex"), "sessions": _SESSIONS},
                    ),
                ),
                "beyond": number("times that further certificates were sent"),
                **_SHOWN,
            },
        ),
        "sessions": _SESSIONS,
        "established": number("sessions whose handshake was completed"),
        "first_seen": _FIRST,
        "last_seen": _LAST,
        "weak": several("codes of what is weak and was agreed on, the worst first", one_of("a code", WEAKNESSES)),
        "post_quantum": READINESS,
    },
)

CLIENT = record(
    "one client address",
    {
        "address": text("its address"),
        "ja4": _values("its JA4 fingerprints"),
        "rare_ja4": several("those of them that are rare, as in the list of all", text("fingerprint")),
        "versions": _values("versions that its hellos list"),
        "highest_versions": _values("the highest version of hellos that list none; they say nothing of lower ones"),
        "post_quantum_groups": _values("hybrid and post-quantum groups that it offers"),
        "post_quantum_answers": _ANSWERS,
        "weak_offers": several("codes of what is weak among its offers: not what was agreed on", one_of("a code", WEAKNESSES)),
        "servers": _values("to which it connected, address and port"),
        "sessions": _SESSIONS,
        "hellos": number("sessions whose ClientHello is whole in the capture"),
        "established": number("sessions whose handshake was completed"),
        "first_seen": _FIRST,
        "last_seen": _LAST,
    },
)

CERTIFICATE = record(
    "one certificate",
    {
        **CERTIFICATE_KEYS,
        "state": one_of(
            "how it stands at `expiry.at`. expiring: it expires within `expiry.within`; unknown: a date is not known", STATES
        ),
        "days_left": or_null(number("days from `expiry.at` to the end of its validity, rounded down", minimum=-_DAYS)),
        "role": one_of("own: a side sent it as its own; chain: only for the chain of another", ("own", "chain")),
        "servers": _values("servers that sent it, address and port"),
        "clients": _values("client addresses that sent it"),
        "sessions": number("times that it was sent"),
        "first_seen": _FIRST,
        "last_seen": _LAST,
        "verdicts": several("verdicts on chains that begin with it", one_of("a verdict", ("valid", "invalid", "unknown"))),
        "problems": several(
            "codes of what was wrong with it in a chain; `analyzer fields --causes` explains them", text("a code")
        ),
    },
)

FINGERPRINT = record(
    "one JA4 fingerprint",
    {
        "ja4": text("the fingerprint"),
        "sessions": _SESSIONS,
        "clients": record(
            "client addresses that have it",
            {
                "count": number("how many of the listed clients have it in their `ja4`"),
                "first": several("the first", text("address")),
            },
        ),
        "rare": or_null(
            flag(
                "whether at most one session in a hundred has it, or, among ten client addresses and more, one in a hundred; "
                "a single one is rare too. Null in fewer than 50 sessions, which are too few to tell"
            )
        ),
    },
)

AGREED_WEAKNESS = record(
    "what is weak and one server agreed on",
    {
        "code": one_of("code of the finding; `analyzer fields --findings` explains it", WEAKNESSES),
        "severity": one_of("how bad it is", SEVERITIES),
        "server": described(ENDPOINT, "the server"),
        "names": several("names that clients asked it for", text("name")),
        "sessions": _SESSIONS,
        "session": number("id of the first of these sessions"),
        "frame": or_null(described(FRAME, "in which it shows")),
        "detail": text("the same in a sentence"),
    },
)

WEAK_ROW = AGREED_WEAKNESS | {
    "properties": AGREED_WEAKNESS["properties"]
    | {
        "what": one_of(
            "agreed: both sides did; offered: a client offers it; certificate: it is in one",
            ("agreed", "offered", "certificate"),
        ),
        "sha256": described(SHA256, "SHA-256 of a certificate, in hex"),
    }
}
"""A row of the table of weaknesses in CSV, in which agreements, offers and certificates stand together."""

INVENTORY_KEYS: dict[str, Schema] = {
    "expiry": record(
        "certificates by how they stand at one moment",
        {
            "at": or_null(reference("that moment: the last packet, or --at; null where no packet has a time", "time")),
            "within": number("seconds after it in which a certificate counts as expiring"),
            **{state: number(f"certificates: {state.replace('_', ' ')}") for state in STATES},
        },
    ),
    "sessions": record(
        "all sessions",
        {
            "count": number("how many there are"),
            "established": number("how many of them completed the handshake"),
            "first_seen": _FIRST,
            "last_seen": _LAST,
            "certificates": record("what they show of the servers' certificates", _SHOWN),
        },
    ),
    "left_out": record(
        "what the limits of the lists left out",
        {
            "server_sessions": number("sessions of servers that are not listed"),
            "client_sessions": number("sessions of client addresses that are not listed"),
            "certificates": number("times that a certificate was sent that is not listed"),
            "ja4_sessions": number("sessions with fingerprints that are not listed"),
        },
    ),
    "protocols": record("what all sessions agreed on", {name: _values(_TITLES[name]) for name in AGREED}),
    "suites": several(
        "cipher suites by the version with which they were agreed on",
        record(
            "a version and a suite",
            {"version": text("the version"), "cipher_suite": text("IANA's name"), "sessions": _SESSIONS},
        ),
    ),
    "servers": several("servers, by address and port", SERVER),
    "clients": several("clients, by address", CLIENT),
    "certificates": several("certificates, by the end of their validity", CERTIFICATE),
    "ja4": several("fingerprints, the rarest first", FINGERPRINT),
    "weak": record(
        "what is weak or legacy",
        {
            "agreed": several("agreed on: by kind, the worst first", AGREED_WEAKNESS),
            "offered": several(
                "offered by clients; whether it was agreed on is said above",
                record(
                    "what is weak among the offers of a client",
                    {
                        "code": one_of("code of the finding that its agreement would be", WEAKNESSES),
                        "client": text("address of the client"),
                        "sessions": _SESSIONS,
                    },
                ),
            ),
            "certificates": several(
                "certificates with a weak signature or key",
                record(
                    "one certificate",
                    {
                        "code": one_of("code of the problem; `analyzer fields --causes` explains it", WEAK_CERTIFICATES),
                        "sha256": described(SHA256, "SHA-256 of the certificate, in hex"),
                        "servers": several("servers that sent it", text("address and port")),
                    },
                ),
            ),
        },
    ),
    "post_quantum": READINESS,
    "post_quantum_groups": _values("hybrid and post-quantum groups that clients offer, by sessions"),
}
"""What an inventory says, in the output of the command and in the facts of a report."""

_LISTED = {
    "servers": "servers", "clients": "clients", "ja4": "fingerprints", "weak_agreed": "entries of `weak.agreed`",
    "weak_offered": "entries of `weak.offered`", "weak_certificates": "entries of `weak.certificates`",
}  # fmt: skip

REPORTED_INVENTORY = record(
    "the inventory; its certificates are those of the report",
    {
        **{key: schema for key, schema in INVENTORY_KEYS.items() if key != "certificates"},
        "counts": record(
            "how many entries there are; of more than 1,000, the first are here",
            {key: number(description) for key, description in _LISTED.items()},
        ),
    },
)
"""The same in the facts of a report."""

INVENTORY: Schema = document(
    "inventory",
    record(
        "The inventory of captures: what `analyzer inventory --format json` prints.",
        {"captures": several("the captures, in order", CAPTURE), "part": PART, **INVENTORY_KEYS},
    ),
    {name: DEFINITIONS[name] for name in ("time", "public_key", "certificate_time")},
)
