"""Declares the facts of a report: what `analyzer report -o FILE.json` writes, and what all forms of a report are made of."""

from typing import Any

from analyzer.codec.codes import SEVERITIES, codes
from analyzer.store.crosscheck_schema import CROSSCHECK
from analyzer.store.declaration import (
    Schema,
    counted,
    decimal,
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
from analyzer.store.inventory_schema import REPORTED_INVENTORY
from analyzer.store.schema import CERTIFICATE_KEYS, DEFINITIONS, ENDPOINT, FRAME, OUTCOME, SESSION, SHA256, described
from analyzer.store.summary_schema import CAPTURE, CONVERSATION, PROTOCOL

_SESSION_ID = number("id of a session")
_TIME = or_null(reference("a time", "time"))
_COUNTS = free_form("how many sessions have each value")

_FILE = record(
    "a file that was read and is not a capture; only its hash is here",
    {
        "path": text("as given"),
        "size": or_null(number("bytes")),
        "sha256": or_null(described(SHA256, "SHA-256 of the file, in hex")),
    },
)

_STEP = record(
    "one step of a handshake",
    {
        "time": _TIME,
        "frame": or_null(FRAME),
        "from": one_of("who sent it; none for a finding", ("client", "server", "both", "none")),
        "kind": text("message, alert, gap, finding, or the kind of a record"),
        "name": text("name of the message, code of the finding, or the kind again"),
        "title": text("what it is, in a few words"),
        "lines": several("what it says: label and value", several("label and value", text("text"))),
        "encrypted": or_null(flag("whether the message was encrypted on the wire")),
        "check": or_null(
            record(
                "the result of the check of its signature or of its verify_data",
                {"text": text("in words"), "style": text("good, bad or unsure, as a style")},
            )
        ),
        "problems": several("what is wrong with the message", text("in words")),
        "severity": or_null(one_of("of a finding; null for another step", SEVERITIES)),
        "fatal": flag("whether it is a fatal alert"),
        "explanation": text("what such a step is for; empty where it was said before"),
    },
)

_CERTIFICATE = record(
    "one certificate",
    {
        "sha256": described(SHA256, "SHA-256 of the certificate, in hex"),
        "type": text("x509 or raw_public_key"),
        "subject": or_null(text("subject")),
        "issuer": or_null(text("issuer")),
        "serial": or_null(text("serial number, in hex")),
        "not_before": or_null(text("beginning of its validity")),
        "not_after": or_null(text("end of its validity")),
        "key": CERTIFICATE_KEYS["public_key"],
        "signature_algorithm": or_null(text("algorithm of the signature on it")),
        "names": or_null(several("its subject alternative names", text("name"))),
        "roles": several("who sent it", one_of("side", ("client", "server"))),
        "senders": several("the first ends that sent it, address and port", text("end")),
        "sessions": number("how many sessions sent it"),
        "first_frame": described(FRAME, "first frame of the first session that sent it"),
        "verdicts": free_form("how many chains that begin with it have each verdict"),
        "expires_in_days": or_null(number("days from the last frame to the end of its validity", minimum=-(1 << 40))),
    },
)

_BRIEF_KEYS = (
    "id", "client", "server", "server_name", "version", "start_time", "end_time", "established", "first_frame", "last_frame",
)  # fmt: skip
_BRIEF = record("one session in short", {key: SESSION["properties"][key] for key in _BRIEF_KEYS})

_OF_A_RECORD = ("type", "description", "properties", "required", "additionalProperties")
"""The keys of a document's schema that are those of its record."""

_SHOWN = SESSION | {
    "properties": SESSION["properties"] | {"steps": several("the steps of its handshake", _STEP)},
    "required": [*SESSION["required"], "steps"],
}
_SHOWN = {key: _SHOWN[key] for key in _OF_A_RECORD}

_FINDING = record(
    "all findings of one code and severity",
    {
        "code": one_of("what it is", tuple(codes("findings"))),
        "severity": one_of("how bad it is", SEVERITIES),
        "title": text("in a few words"),
        "meaning": text("what it means"),
        "reference": or_null(text("the document that has the rule")),
        "refuted_by": or_null(text("what would show that it is wrong")),
        "count": number("how many there are", minimum=1),
        "n_sessions": number("in how many sessions"),
        "occurrences": several(
            "the first of them",
            record(
                "one finding",
                {
                    "session": or_null(_SESSION_ID),
                    "frames": several("frames in which it shows", FRAME),
                    "detail": text("what was seen, in a sentence"),
                },
            ),
        ),
    },
)

_INPUT = record(
    "one capture, and what was read of it after the analysis",
    CAPTURE["properties"]
    | {
        "sha512": or_null(text("SHA-512 of the file as stored, in hex; null if it was not asked for")),
        "blake2b": or_null(text("BLAKE2b of the file as stored, in hex; null if it was not asked for")),
        "sha256_after": or_null(described(SHA256, "SHA-256 after the analysis, in hex; null for what is read only once")),
        "size_after": or_null(number("bytes after the analysis; null for what is read only once")),
        "error_after": or_null(text("name of the system's error if it could not be read again")),
        "unchanged": or_null(flag("whether size and SHA-256 are the same after the analysis; null where that is not known")),
        "opened": one_of("how the file was opened", ("read_only",)),
        "access_time_kept": or_null(flag("whether it was read again without a change of its access time")),
        "sections": several(
            "the first sections of the capture",
            record(
                "what the program that wrote it says",
                {
                    "hardware": or_null(text("hardware")),
                    "os": or_null(text("operating system")),
                    "application": or_null(text("program")),
                },
            ),
        ),
        "n_sections": number("how many sections it has"),
        "resolution": several("resolutions of the times of its interfaces", text("such as 10^-6 s")),
        "received": or_null(number("packets that the capturing program counted; null where the capture does not say")),
        "dropped": or_null(number("packets that were lost while capturing; null where the capture does not say")),
    },
)

STORE = record(
    "one trust store",
    {
        "store": text("name"),
        "source": text("where it is from"),
        "date": text("day of its content"),
        "sha256": or_null(described(SHA256, "SHA-256 of the file, in hex")),
        "certificates": number("how many roots it has"),
    },
)

_EVIDENCE = record(
    "what was examined, by hashes",
    {
        "inputs": several("the captures", _INPUT),
        "key_logs": several("key logs", _FILE),
        "private_keys": several("files with private keys", _FILE),
        "psk_files": several("files with pre-shared keys", _FILE),
        "certificates": several("further certificates, revocation lists, and lists of logs", _FILE),
        "case_files": several("files with the data of the case", _FILE),
        "trust": several("trust stores that chains were judged by", STORE),
    },
)

TOOL = record(
    "the program",
    {
        "name": text("name"),
        "version": text("version"),
        "build": text("compiled or interpreted"),
        "python": text("version of Python"),
        "libraries": free_form("versions of the libraries that its results depend on; null for one that is not installed"),
    },
)

_OPTIONS = record(
    "options that change the result",
    {
        "language": text("language of the report, as in BCP 47"),
        "redact": several("what is masked", text("kind")),
        "at": or_null(reference("the time of validation of all chains; null for each session's own start", "time")),
    },
)

_CASE = record(
    "what the examiner says of the case; null is what was not said",
    {
        "case": or_null(text("number or name of the case")),
        "exhibit": or_null(text("number or name of the exhibit")),
        "examiner": or_null(text("who examined it")),
        "authority": or_null(text("on whose order")),
        "purpose": or_null(text("the question that the report answers")),
        "custody": several(
            "who had the evidence",
            record("one note", {"time": or_null(text("a time or a day, as it was written")), "text": text("the note")}),
        ),
        "source": or_null(text("the file that says it; null without one")),
    },
)

_CLOCKS = record(
    "how good the times of the captures are",
    {
        "first": _TIME,
        "last": _TIME,
        "duration_seconds": or_null(decimal("seconds between the two")),
        "resolution": several("resolutions of the times of all interfaces", text("such as 10^-6 s")),
        "backward": number("frames that are earlier than the one before on the same interface"),
        "largest_backward_seconds": or_null(decimal("the largest such step; null for none")),
        "jumps": several(
            "the first jumps of the clock",
            record("one jump", {"frame": FRAME, "seconds": decimal("by which the clock was set; negative for backwards")}),
        ),
        "n_jumps": number("how many jumps there are"),
        "server_offsets": several(
            "what clocks of servers were ahead of the capture, those with the most values first",
            record(
                "one server",
                {
                    "server": text("address and port"),
                    "source": one_of("what says its time", ("http_date", "gmt_unix_time")),
                    "count": number("how many values there are", minimum=1),
                    "median_seconds": decimal("median"),
                    "least_seconds": decimal("the least"),
                    "most_seconds": decimal("the most"),
                },
            ),
        ),
    },
)

_SERIES = record(
    "packets, bytes and beginning sessions in equal steps of time",
    {
        "start": _TIME,
        "step_seconds": decimal("length of a step"),
        "packets": several("of each step", number("frames")),
        "bytes": several("of each step", number("bytes on the wire")),
        "sessions": several("of each step", number("sessions that began")),
    },
)

_REDACTION = record(
    "what was masked; null if nothing was",
    {
        "kinds": several("kinds, as in the options", text("kind")),
        "addresses": number("how many addresses have a pseudonym"),
        "names": number("how many names have a pseudonym"),
        "certificates": number("how many certificates have a pseudonym"),
        "secrets": number("how many cookies and credentials were masked"),
    },
)

_PSEUDONYMS = {
    SHA256["pattern"]: "^([0-9a-f]{64}|certificate-[0-9]+)$",
    CERTIFICATE_KEYS["serial"]["pattern"]: "^(-?([0-9a-f]{2})+|serial-[0-9]+)$",
}
"""Patterns of the session record, and what they are in a report, whose certificates `--redact names` makes nameless."""


def _redactable(schema: Any) -> Any:
    """Return a schema in which the pseudonyms of a redacted report are valid too."""
    if isinstance(schema, dict):
        return {key: _PSEUDONYMS.get(value, value) if key == "pattern" else _redactable(value) for key, value in schema.items()}
    return [_redactable(one) for one in schema] if isinstance(schema, list) else schema


REPORT: Schema = _redactable(
    document(
        "report",
        record(
            "The facts of a report: `analyzer report -o FILE.json`. The same captures and options give the same bytes.",
            {
                "format": number("number of this form; it grows when a key changes its meaning", minimum=1),
                "tool": TOOL,
                "command": several("the words after `analyzer`", text("word")),
                "options": _OPTIONS,
                "issued_at": _TIME,
                "case": _CASE,
                "evidence": _EVIDENCE,
                "time": _CLOCKS,
                "integrity": several(
                    "observations on the integrity of the captures",
                    record(
                        "one observation",
                        {
                            "code": text("what was observed"),
                            "args": free_form("its numbers and addresses"),
                            "frames": several("the first frames in which it shows", FRAME),
                        },
                    ),
                ),
                "traffic": record(
                    "all packets",
                    {
                        "packets": number("frames"),
                        "bytes": number("their bytes on the wire"),
                        "malformed": number("frames with a header that could not be read"),
                        "uncounted": number("packets of conversations that are not told apart"),
                        "protocols": several("protocols, each below the one that carries it", PROTOCOL),
                        "conversations": counted("TCP connections and UDP flows", "top", CONVERSATION),
                        "series": _SERIES,
                    },
                ),
                "sessions": record(
                    "all TLS sessions",
                    {
                        "count": number("sessions"),
                        "established": number("sessions that were established"),
                        "failed": number("sessions that failed or were abandoned"),
                        **dict.fromkeys(
                            (
                                "versions",
                                "cipher_suites",
                                "groups",
                                "alpn",
                                "decryption",
                                "reasons",
                                "verdicts",
                                "signatures",
                                "causes",
                            ),
                            _COUNTS,
                        ),
                        "brief": several("the first sessions in short", _BRIEF),
                        "shown": several("the sessions that a report shows in full", _SHOWN),
                    },
                ),
                "failed": several(
                    "sessions that failed or were abandoned",
                    record(
                        "one session",
                        {
                            "session": _SESSION_ID,
                            "client": described(ENDPOINT, "the client"),
                            "server": described(ENDPOINT, "the server"),
                            "server_name": or_null(text("name that the client asked for")),
                            "first_frame": FRAME,
                            "last_frame": FRAME,
                            "start_time": _TIME,
                            "version": or_null(text("version")),
                            "alerts": SESSION["properties"]["alerts"],
                            **{key: OUTCOME["properties"][key] for key in ("ended_by", "step", "cause", "certainty")},
                        },
                    ),
                ),
                "findings": several("findings, the worst first", _FINDING),
                "hosts": several(
                    "hosts, those with the most bytes first",
                    record(
                        "one host",
                        {
                            "address": text("address"),
                            "names": several("names that clients asked for there", text("name")),
                            "client_sessions": number("sessions in which it was the client"),
                            "server_sessions": number("sessions in which it was the server"),
                            "bytes_sent": number("bytes on the wire"),
                            "bytes_received": number("bytes on the wire"),
                            "packets": number("packets"),
                        },
                    ),
                ),
                "n_hosts": number("how many hosts there are"),
                "certificates": several("certificates, each once", _CERTIFICATE),
                "inventory": REPORTED_INVENTORY,
                "timeline": several(
                    "what happened when",
                    record(
                        "one entry",
                        {
                            "time": reference("when", "time"),
                            "kind": text("capture_began, capture_ended, session_began, session_ended, alert or finding"),
                            "session": or_null(_SESSION_ID),
                            "frame": or_null(number("frame")),
                            "code": or_null(text("of a finding, its code; of an alert, its words; of a capture, its path")),
                            "severity": or_null(one_of("of a finding or an alert", SEVERITIES)),
                        },
                    ),
                ),
                "limits": several(
                    "limitations of the examination that apply",
                    record("one limitation", {"code": text("which"), "args": free_form("its numbers and names")}),
                ),
                "crosscheck": or_null({key: CROSSCHECK[key] for key in _OF_A_RECORD}),
                "attachments": several(
                    "files that belong to the report",
                    record(
                        "one file",
                        {
                            "name": text("name"),
                            "media_type": text("media type"),
                            "size": number("bytes"),
                            "sha256": described(SHA256, "SHA-256 of the file, in hex"),
                            "description": text("which table it is"),
                            "rows": number("how many rows it has"),
                        },
                    ),
                ),
                "redaction": or_null(_REDACTION),
            },
        ),
        DEFINITIONS,
    )
)
