"""The JSON Schema (draft 2020-12) of the session record, which `analyzer sessions --schema` prints.

It is the contract with other programs: a key whose value is not known is null and never left out, keys may be added and are
never renamed. So every key stands under `required`, and further ones are allowed.
"""

from typing import Any

from analyzer.analysis.decryption_failure import CAUSES

Schema = dict[str, Any]


def _object(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": True,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    if "$ref" in schema or isinstance(schema["type"], list):
        return {"anyOf": [schema, {"type": "null"}]}
    null: Schema = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        null["enum"] = [*schema["enum"], None]
    return null


def _text(description: str = "") -> Schema:
    return {"type": "string", "description": description} if description else {"type": "string"}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _count(description: str = "") -> Schema:
    return {"type": "integer", "minimum": 0} | ({"description": description} if description else {})


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_FRAME: Schema = {"type": "integer", "minimum": 1, "description": "counts from 1"}
_SIDE = _one_of("client", "server")
_HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_MD5: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_MESSAGE: Schema = {"type": "object", "description": "decoded fields under the RFC's names; with --messages only"}

_DEFINITIONS: dict[str, Schema] = {
    "time": {
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$",
        "description": "RFC 3339 in UTC with nine digits of a second",
    },
    "endpoint": _object({"address": _text("IPv4 or IPv6 address"), "port": _count() | {"maximum": 65535}}),
    "problem": _object(
        {"field": _text("name of the field"), "offset": _count("bytes from the message's start"), "detail": _text()}
    ),
    "handshake_message": _object(
        {
            "type": _text("the RFC's name, such as client_hello; hex for an unknown number"),
            "from": _SIDE,
            "frame": _FRAME | {"description": "the frame that completed it"},
            "time": _or_null(_ref("time")),
            "length": _count("bytes with the header, as declared"),
            "encrypted": {"type": "boolean"},
            "message": _or_null(_MESSAGE),
            "problems": _list(_ref("problem")) | {"description": "of a message that could not be read whole"},
        },
        optional=("problems",),
    ),
    "alert": _object(
        {
            "level": _or_null(_text("warning or fatal; null while encrypted")),
            "description": _or_null(_text("the RFC's name; null while encrypted")),
            "from": _SIDE,
            "frame": _FRAME,
            "encrypted": {"type": "boolean"},
        }
    ),
    "public_key": _object(
        {
            "type": _text("rsa, ec, ed25519, ...; else the object identifier"),
            "bits": _count("of the modulus or prime"),
            "curve": _or_null(_text("of an EC key")),
        },
        optional=("bits", "curve"),
    ),
    "certificate": _object(
        {
            "subject": _or_null(_text("RFC 4514")),
            "issuer": _or_null(_text("RFC 4514")),
            "serial": _or_null({"type": "string", "pattern": "^-?([0-9a-f]{2})+$"}),
            "not_before": _or_null(_ref("time")),
            "not_after": _or_null(_ref("time")),
            "sha256": _HASH,
            "subject_alt_names": _or_null(_list(_text())),
            "public_key": _or_null(_ref("public_key")),
            "signature_algorithm": _or_null(_text()),
            "type": _one_of("x509", "raw_public_key"),
        }
    ),
    "chain": _object(
        {
            "verdict": _one_of("valid", "invalid", "absent"),
            "at": _or_null(_ref("time")) | {"description": "the moment of which the verdict is"},
            "name": _or_null(_text("what the certificate was judged against; null for no name")),
            "path": _list(_HASH),
            "problems": _list(_ref("chain_fact")),
            "notes": _list(_ref("chain_fact")) | {"description": "facts that are no fault: duplicate, misordered, extra, ..."},
            "revocation": _list(
                _object(
                    {
                        "sha256": _HASH,
                        "status": _one_of("good", "revoked", "unknown"),
                        "source": _or_null(_one_of("ocsp", "crl")),
                        "detail": _text(),
                    }
                )
            )
            | {"description": "of the certificates of the path, where anything at hand might tell"},
            "scts": _list(
                _object(
                    {
                        "source": _one_of("certificate", "tls", "ocsp"),
                        "log": _or_null(_text("name of the log")),
                        "log_id": _text("hex"),
                        "time": _or_null(_ref("time")),
                        "status": _one_of("verified", "failed", "unknown_log", "unverifiable"),
                        "detail": _text(),
                    }
                )
            )
            | {"description": "signed certificate timestamps of the first certificate"},
            "trust": _list(_object({"store": _text(), "date": _text("YYYY-MM-DD")}))
            | {"description": "the stores whose roots were trusted, and of which day they are"},
        }
    ),
    "chain_fact": _object(
        {"code": _text(), "certificate": _or_null(_count("place among the certificates sent")), "detail": _or_null(_text())}
    ),
    "decryption": _object(
        {
            "status": _one_of("decrypted", "partial", "none", "not_needed"),
            "reason": _or_null(_one_of(*CAUSES)),
            "records": _count("decrypted"),
            "failed": _count("not decrypted though there were secrets"),
            "bytes": _object({"client": _count(), "server": _count()}) | {"description": "application data after decryption"},
            "detail": _or_null(_text("what shows the reason")),
        }
    ),
    "proof": _one_of("verified", "failed", "absent", "unverifiable"),
    "authenticity": _object(
        {
            "server_signature": _ref("proof"),
            "client_signature": _ref("proof"),
            "finished": _object({"client": _ref("proof"), "server": _ref("proof")}),
            "detail": _or_null(_text("why something is unverifiable or failed")),
        },
    ),
    "ech": _object(
        {
            "status": _one_of("offered", "accepted", "rejected", "grease"),
            "config_id": _count() | {"maximum": 255},
            "public_name": _or_null(_text("of the server's configuration, where the key log has that")),
            "outer_server_name": _or_null(_text("in the outer ClientHello")),
            "inner_server_name": _or_null(_text("in the inner ClientHello, once decrypted")),
            "inner": _or_null(_MESSAGE | {"description": "the inner ClientHello's fields, once decrypted"}),
        }
    )
    | {"description": "Encrypted Client Hello (RFC 9849), which the client offered"},
    "gap": _object(
        {
            "from": _SIDE,
            "offset": _count("of the first missing byte in the side's stream"),
            "length": {"type": "integer", "minimum": 1},
            "after_frame": _count("the last frame before the gap; 0 when there was none"),
        }
    ),
    "http_exchange": _object({"request": _or_null({"type": "object"}), "response": _or_null({"type": "object"})}),
    "finding": _object(
        {
            "code": _text(),
            "severity": _one_of("info", "low", "medium", "high"),
            "detail": _text(),
            "frames": _list(_FRAME),
        }
    ),
}

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "TLS session record",
    "description": "One TLS, DTLS or QUIC session of a capture. What is not known is null; keys may be added, never renamed.",
    **_object(
        {
            "id": _count("in the order in which the first handshake bytes appear"),
            "protocol": _one_of("tls", "dtls", "quic"),
            "client": _ref("endpoint"),
            "server": _ref("endpoint"),
            "first_frame": _FRAME,
            "last_frame": _FRAME,
            "start_time": _or_null(_ref("time")),
            "end_time": _or_null(_ref("time")),
            "version": _or_null(_text("negotiated, such as TLS 1.3; null before a ServerHello")),
            "cipher_suite": _or_null(_text("IANA name")),
            "cipher_suite_id": _or_null(_count()),
            "group": _or_null(_text("IANA name of the key-exchange group")),
            "server_name": _or_null(_text("from the ClientHello, the inner one once that is known to be accepted")),
            "alpn": _or_null(_text("the protocol chosen")),
            "ech": _or_null(_ref("ech")),
            "established": {"type": "boolean"},
            "resumed": _or_null({"type": "boolean"}),
            "resumption": _or_null(_one_of("session_id", "ticket", "psk")),
            "resumes": _or_null(_count("id of the session resumed")),
            "ja3": _or_null(_MD5),
            "ja3s": _or_null(_MD5),
            "ja4": _or_null(_text()),
            "handshake": _list(_ref("handshake_message")),
            "alerts": _list(_ref("alert")),
            "certificates": _object({"client": _list(_ref("certificate")), "server": _list(_ref("certificate"))}),
            "chain": _ref("chain"),
            "client_chain": _ref("chain"),
            "decryption": _ref("decryption"),
            "authenticity": _ref("authenticity"),
            "gaps": _list(_ref("gap")),
            "http": _list(_ref("http_exchange")),
            "findings": _list(_ref("finding")),
        }
    ),
    "$defs": _DEFINITIONS,
}
"""As JSON values."""
