"""Declares the JSON output of the other commands, and the manifest of `export`.

Each schema is what its command prints with `--schema`. A line of JSON is one such object. The manifest is a list.
"""

from analyzer.codec.codes import SEVERITIES, codes
from analyzer.store.compare_schema import COMPARE
from analyzer.store.crosscheck_schema import CROSSCHECK
from analyzer.store.declaration import (
    CERTIFICATE_TIME,
    TIME,
    Schema,
    anything,
    counted,
    document,
    flag,
    free_form,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.filter_schema import FILTER
from analyzer.store.http_schema import HTTP
from analyzer.store.inventory_schema import INVENTORY
from analyzer.store.manifest_schema import MANIFEST
from analyzer.store.report_schema import REPORT
from analyzer.store.schema import (
    CAPTURE_KEYS,
    CERTIFICATE_KEYS,
    DEFINITIONS,
    FRAME,
    ROLE,
    SESSION,
    described,
)
from analyzer.store.stats_schema import STATS
from analyzer.store.summary_schema import SUMMARY
from analyzer.store.validation_schema import VALIDATION
from analyzer.store.verification_schema import SEAL, VERIFICATION

_SESSION_ID = number("id of a session")
_SHA1 = "^[0-9a-f]{40}$"

_KEY = record(
    "the key in a certificate; numbers and parameters of its type stand under further keys",
    {
        "type": or_null(text("rsa, ec, ed25519 and so on; the object identifier of another type")),
        "bits": number("bits of the modulus or prime; only where the type has one"),
        "curve": or_null(text("name of the curve; only of an EC key")),
        "sha256": or_null(text("SHA-256 of the SubjectPublicKeyInfo, in hex")),
        "key_sha1": or_null(text("SHA-1 of the key's bits, as in key identifiers, in hex", _SHA1)),
    },
    optional=("type", "bits", "curve"),
)

_CERTIFICATE_PROBLEM = record(
    "what could not be read in a certificate",
    {
        "field": text("name of the field, by the RFC"),
        "offset": number("bytes from the start of the certificate"),
        "detail": text("what is wrong there"),
    },
)

_EXTENSION = record(
    "one extension of a certificate",
    {
        "oid": or_null(text("object identifier")),
        "name": or_null(text("name of the extension; null for one that is not known")),
        "critical": or_null(flag("whether a verifier that does not know it has to refuse the certificate")),
        "value": anything("the decoded value, whose form depends on the extension; null where it cannot be decoded"),
        "hex": or_null(text("its bytes in hex, where `value` does not say all of it")),
        "problems": several("what could not be read in it", _CERTIFICATE_PROBLEM),
    },
)

CERTIFICATE: Schema = document(
    "certificate",
    record(
        "One distinct certificate of a capture: a line of `analyzer certificates --format json`.",
        {
            **CERTIFICATE_KEYS,
            "public_key": or_null(_KEY),
            "size": number("bytes of the certificate"),
            "sha1": text("SHA-1 of the certificate as sent, in hex", _SHA1),
            "version": or_null(number("version of the certificate", 1, 3)),
            "self_issued": or_null(flag("whether issuer and subject are the same bytes")),
            "signature_parameters": or_null(free_form("of RSASSA-PSS: hash, mask, mask_hash, salt_length")),
            "signature": or_null(text("the signature's bits in hex")),
            "issuer_unique_id": or_null(text("in hex")),
            "subject_unique_id": or_null(text("in hex")),
            "extensions": or_null(several("in the order of the certificate; null where their place is not known", _EXTENSION)),
            "problems": several("what could not be read", _CERTIFICATE_PROBLEM),
            "verdicts": several("the verdicts on chains that begin with it",
                                one_of("a verdict", ("valid", "invalid", "unknown"))),
            "chain_problems": several("what was wrong with it in those chains; `analyzer fields --causes` explains it",
                                      one_of("a code", tuple(codes("chain_problems")))),
            "sessions": record(
                "the sessions in which it was sent",
                {"server": several("by the server", _SESSION_ID), "client": several("by the client", _SESSION_ID)},
            ),
            **CAPTURE_KEYS,
        },
    ),
    {"time": TIME, "certificate_time": CERTIFICATE_TIME},
)  # fmt: skip

PACKET: Schema = document(
    "packet",
    record(
        "One frame: a line of `analyzer packets --format json`.",
        {
            "number": FRAME,
            "time": or_null(reference("when it was captured; null where the capture has no time", "time")),
            "source": or_null(text("address of the sender: IP, or else the link layer's")),
            "destination": or_null(text("address of the receiver: IP, or else the link layer's")),
            "protocol": text("the innermost protocol that was recognised"),
            "length": number("bytes on the wire"),
            "info": text("what the frame is about, in words"),
            **CAPTURE_KEYS,
        },
    ),
    {"time": TIME},
)

CHUNK: Schema = document(
    "chunk",
    record(
        "Data of one record, or something that is missing: a line of `analyzer follow --format json`.",
        {
            "from": or_null(described(ROLE, "which side sent it; null where it is not known whose data is missing")),
            "frame": or_null(described(FRAME, "the frame that completed the record; null for what is missing")),
            "time": or_null(reference("when it was complete", "time")),
            "stream": or_null(number("the QUIC stream; null where the session has no streams, and of a datagram")),
            "offset": or_null(
                number("of the first byte among what the side sent, in QUIC in this stream, not counting what is missing")
            ),
            "length": number("bytes of data"),
            "data": text("the bytes in hex"),
            "end": or_null(flag("whether the side ends its QUIC stream with them; null where the session has no streams")),
            "missing": or_null(
                record(
                    "what is missing here; null for data",
                    {
                        "bytes": or_null(number("encrypted bytes that the capture lacks; null where it is not known how many")),
                        "records": number("records that did not decrypt"),
                        "reason": or_null(text("why; `analyzer fields --causes` explains it")),
                    },
                )
            ),
            **CAPTURE_KEYS,
        },
    ),
    {"time": TIME},
)

_LOG_LINE = record(
    "a line of a key log, without its secret",
    {
        "source": text("the file"),
        "line": number("number of the line, from 1", minimum=1),
        "label": text("label of the secret"),
        "session": text("what names the session, in hex"),
    },
)

_PAIR = record(
    "two lines of key logs",
    {"label": text("label of the secret"), "first": text("file:line"), "second": text("file:line")},
)


_SESSION_KEYS = record(
    "what the given keys have of one session",
    {
        "kind": one_of("what the line is about", ("session",)),
        "id": _SESSION_ID,
        **CAPTURE_KEYS,
        "client": SESSION["properties"]["client"],
        "server": SESSION["properties"]["server"],
        "server_name": SESSION["properties"]["server_name"],
        "version": SESSION["properties"]["version"],
        "client_random": or_null(text("of the first ClientHello, in hex; null where the capture lacks it")),
        "inner_random": or_null(text("of the inner ClientHello, in hex, where that was decrypted")),
        "verdict": one_of("how many of the secrets that it needs are there", ("complete", "partial", "none", "not_needed")),
        "found": several("labels of the secrets that the key log has for this session", text("a label")),
        "missing": several("labels that it needs and the key log does not have", text("a label")),
        "conflicting": several("labels for which the key log has different secrets", text("a label")),
        "lines": several("the lines for this session", text("file:line")),
        "private_key": or_null(text("file of the private key that belongs to its certificate")),
        "decryption": record(
            "the result of decryption",
            {key: DEFINITIONS["decryption"]["properties"][key] for key in ("status", "reason")},
        ),
        "detail": text("the verdict in a sentence"),
    },
)

_KEYS_AS_A_WHOLE = record(
    "the last line: the audit of all given keys together",
    {
        "kind": one_of("what the line is about", ("keys",)),
        "detail": text("the verdict in a sentence"),
        "sessions": record(
            "counts of sessions",
            {
                "all": number("sessions in the capture"),
                "known": number("sessions with at least one secret in the key log"),
                "complete": number("sessions with all secrets that they need"),
                "partial": number("sessions with a part of them"),
                "none": number("sessions with none of them"),
                "not_needed": number("sessions in which nothing is encrypted"),
            },
        ),
        "sources": several(
            "the key logs",
            record("one key log", {"source": text("the file"), "lines": number("lines in it")}),
        ),
        "lines": number("lines of all key logs"),
        "secrets": number("secrets in them"),
        "unused": counted("lines for no session in the capture", "lines", _LOG_LINE),
        "bad": record(
            "lines that could not be read",
            {
                "count": number("how many there are"),
                "unknown_labels": number("how many of them have an unknown label"),
                "lines": several(
                    "the first of them",
                    record(
                        "one line",
                        {
                            "source": text("the file"),
                            "line": number("number of the line, from 1", 1),
                            "why": text("what is wrong"),
                        },
                    ),
                ),
            },
        ),
        "repeated": counted("lines that repeat one before", "pairs", _PAIR),
        "conflicting": counted("lines that contradict one before", "pairs", _PAIR),
        "private_keys": several(
            "the RSA keys given",
            record(
                "one key",
                {
                    "source": text("the file"),
                    "bits": number("bits of the modulus"),
                    "opens": counted("sessions that it decrypts", "sessions", _SESSION_ID),
                    "only_certificate": counted(
                        "sessions to whose certificate it belongs, but which it cannot decrypt", "sessions", _SESSION_ID
                    ),
                },
            ),
        ),
    },
)

KEYS: Schema = document(
    "key audit",
    {
        "description": "A line of `analyzer keys --format json`: one for each session, and one for the keys as a whole.",
        "oneOf": [_SESSION_KEYS, _KEYS_AS_A_WHOLE],
    },
    DEFINITIONS,
)

CODE: Schema = document(
    "code",
    record(
        "A field that can be filtered, or a code that records carry: a line of `analyzer fields --format json`.",
        {
            "list": one_of("which list it is in",
                           ("fields", "findings", "decryption_failures", "chain_problems", "outcome_causes")),
            "code": text("the code, or the name of the field"),
            "severities": or_null(several("severities with which it is given; null where its list has none",
                                          one_of("a severity", SEVERITIES))),
            "title": text("what it is, in a few words"),
            "meaning": or_null(text("what it means")),
            "reference": or_null(text("RFC and section")),
            "refuted_by": or_null(text("what would show that it is not so")),
            "advice": or_null(text("what to do next")),
            "type": or_null(text("the type of a field, such as FT_UINT16; null for a code")),
            "values": or_null(several("what the numbers of a field are called; null where they have no names",
                                      text("a number, an equals sign and its name"))),
        },
    ),
    {},
)  # fmt: skip

INTERFACE: Schema = document(
    "interface",
    record(
        "One interface of this machine now: a line of `analyzer interfaces --format json`.",
        {
            "name": text("its name"),
            "index": number("its number in this machine", 1),
            "addresses": several("its IP addresses", text("an address")),
            "hardware_address": or_null(text("the MAC address; null where packets have none")),
            "state": or_null(one_of("whether it is up, and has a link", ("up", "no carrier", "down"))),
            "speed": or_null(number("in Mbit/s; null where it has none, such as `lo`")),
            "mtu": or_null(number("bytes of the longest packet")),
            "link_type": or_null(text("link type of its packets, by its registered name")),
            "loopback": flag("whether it leads back to this machine"),
            "received_packets": or_null(number("packets that it received since it was made")),
            "sent_packets": or_null(number("packets that it sent")),
            "dropped_in": or_null(number("received packets that it or its driver dropped")),
            "dropped_out": or_null(number("packets to send that it dropped")),
            "can_capture": flag("whether this process has the right to capture"),
            "missing": or_null(text("name of the right that is missing for that")),
            "command": or_null(text("a command that has it")),
        },
    ),
    {},
)

SCHEMAS: dict[str, Schema] = {
    "summary": SUMMARY,
    "sessions": SESSION,
    "show": SESSION,
    "http": HTTP,
    "follow": CHUNK,
    "certificates": CERTIFICATE,
    "inventory": INVENTORY,
    "export": MANIFEST,
    "stats": STATS,
    "packets": PACKET,
    "keys": KEYS,
    "live": SESSION,
    "compare": COMPARE,
    "report": REPORT,
    "crosscheck": CROSSCHECK,
    "verify": VERIFICATION,
    "seal": SEAL,
    "validate": VALIDATION,
    "interfaces": INTERFACE,
    "fields": CODE,
    "filter": FILTER,
}
"""The schemas by the command that prints them."""
