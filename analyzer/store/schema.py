"""Declares the session record: its keys, their order, and the JSON Schema that `analyzer sessions --schema` prints.

The record is the contract with other programs: keys may be added and are never renamed.
"""

from analyzer.analysis.outcome_facts import STEPS
from analyzer.codec.codes import SEVERITIES, codes
from analyzer.store.before_schema import BEFORE
from analyzer.store.declaration import (
    CERTIFICATE_TIME,
    TIME,
    Schema,
    decimal,
    document,
    flag,
    free_form,
    item_of,
    number,
    one_of,
    or_null,
    record,
    reference,
    several,
    text,
)
from analyzer.store.dns_schema import DNS_MESSAGE
from analyzer.store.quic_schema import QUIC

FRAME = number("number of a frame in the run, from 1", minimum=1)
ROLE = one_of("which side: the client is the one that sent the ClientHello", ("client", "server"))
SHA256 = text("SHA-256 in hex", "^[0-9a-f]{64}$")
_MD5 = "^[0-9a-f]{32}$"

ENDPOINT = record(
    "one end of a connection",
    {
        "address": text("IPv4 or IPv6 address; a hardware address where there is no IP"),
        "port": or_null(number("TCP or UDP port; null with a hardware address", maximum=65535)),
    },
)


def described(schema: Schema, description: str) -> Schema:
    """Return the same type with another description."""
    return schema | {"description": description}


CAPTURE_KEYS: dict[str, Schema] = {
    "capture": or_null(text("file of the first frame, as given; - is standard input; null while sniffing")),
    "frame_in_capture": or_null(
        described(FRAME, "number of the first frame in that file, from 1; null in a run of one file, where it is the same")
    ),
}
"""Of what has one frame, the first frame is that one."""

_PROBLEM = record(
    "what could not be read in a message",
    {
        "field": text("name of the field, by the RFC"),
        "offset": number("bytes from the start of the message"),
        "detail": text("what is wrong there"),
    },
)

_HANDSHAKE_MESSAGE = record(
    "one handshake message",
    {
        "type": text("the RFC's name, such as client_hello; hex for a number without a name"),
        "from": described(ROLE, "which side sent it"),
        "frame": described(FRAME, "the frame that completed it"),
        "time": or_null(reference("when it was complete; null where the capture has no time", "time")),
        "length": number("bytes with the header, as declared"),
        "encrypted": flag("whether it was encrypted on the wire"),
        "message": or_null(
            free_form("decoded fields under the RFC's names; null without --messages or where it is not decrypted")
        ),
        "problems": several("what could not be read; only of a message that could not be read whole", item_of("problem")),
    },
    optional=("problems",),
)

_ALERT = record(
    "one alert",
    {
        "level": or_null(text("warning or fatal; null while it is encrypted")),
        "description": or_null(text("the RFC's name; null while it is encrypted")),
        "from": described(ROLE, "which side sent it"),
        "frame": described(FRAME, "the frame that completed it"),
        "encrypted": flag("whether it was encrypted on the wire"),
        "injected": flag(
            "whether it came in plaintext after its sender had changed to encryption, so that anybody on the path can have "
            "inserted it"
        ),
    },
)

_PUBLIC_KEY = record(
    "the key in a certificate",
    {
        "type": text("rsa, ec, ed25519 and so on; the object identifier of another type"),
        "bits": number("bits of the modulus or prime; only where the type has one"),
        "curve": or_null(text("name of the curve; only of an EC key")),
    },
    optional=("bits", "curve"),
)

CERTIFICATE_KEYS: dict[str, Schema] = {
    "subject": or_null(text("distinguished name by RFC 4514; null where it cannot be read")),
    "issuer": or_null(text("distinguished name by RFC 4514; null where it cannot be read")),
    "serial": or_null(text("serial number in hex", "^-?([0-9a-f]{2})+$")),
    "not_before": or_null(reference("first moment of validity", "certificate_time")),
    "not_after": or_null(reference("last moment of validity", "certificate_time")),
    "sha256": or_null(described(SHA256, "SHA-256 of the certificate as sent, in hex; null where bytes of it are missing")),
    "subject_alt_names": or_null(several("the alternative names, as DNS:name, IP:address and so on", text("one name"))),
    "public_key": or_null(reference("the key; null where it cannot be read", "public_key")),
    "signature_algorithm": or_null(text("name of the algorithm, or its object identifier")),
    "type": one_of("an X.509 certificate, or a bare public key (RFC 7250)", ("x509", "raw_public_key")),
}

_CERTIFICATE = record("one certificate as it was sent; nothing is verified here", CERTIFICATE_KEYS)

_REVOCATION = record(
    "what revocation data says of one certificate",
    {
        "sha256": described(SHA256, "SHA-256 of the certificate, in hex"),
        "status": one_of("as of the time of the verdict", ("good", "revoked", "unknown")),
        "source": or_null(one_of("what says so", ("ocsp", "crl"))),
        "detail": text("the same in a sentence"),
    },
)

_TIMESTAMP = record(
    "one signed certificate timestamp (RFC 6962)",
    {
        "source": one_of("where it was sent: in the certificate, in an extension of TLS, in an OCSP response",
                         ("certificate", "tls", "ocsp")),
        "log": or_null(text("name of the log; null for a log that is not known")),
        "log_id": text("identifier of the log, in hex"),
        "time": or_null(reference("when the log signed it", "time")),
        "status": one_of("whether the log's signature is good", ("verified", "failed", "unknown_log", "unverifiable")),
        "detail": text("the same in a sentence"),
    },
)  # fmt: skip

_CHAIN = record(
    "the verdict on the certificates of one side, made offline",
    {
        "verdict": one_of(
            "absent: none was sent; unknown: it cannot be seen, is cut by the capture, or nobody proved its key",
            ("valid", "invalid", "absent", "unknown"),
        ),
        "at": or_null(reference("the time for which the verdict holds", "time")),
        "name": or_null(text("the name against which the certificate was checked; null for no name")),
        "path": several("the certificates from the first one sent to the root, by SHA-256", SHA256),
        "problems": several("what makes the chain invalid; empty for a valid one", item_of("chain_fact")),
        "notes": several(
            "facts that are not errors. Their codes: duplicate (was sent before), misordered (comes after a certificate that "
            "is above it on the path), extra (not on the path, or after the first 64 certificates), "
            "missing_intermediate (on the path, but not sent), odd_encoding (an encoding error that all clients accept), "
            "revocation_unknown (there is revocation data, and it does not say whether the certificate is revoked), "
            "search_ended (there are more paths than are searched), unproved_key (nobody proved in the handshake to have the "
            "key of the certificate: `authenticity` says why), raw_public_key (a public key without a certificate was "
            "sent, RFC 7250), not_visible (the capture does not show whether a certificate was sent), cut (the capture has "
            "only a part of the certificates)",
            item_of("chain_fact"),
        ),
        "revocation": several("of the certificates in the path, where there is revocation data", item_of("revocation")),
        "scts": several("signed certificate timestamps of the first certificate", item_of("timestamp")),
        "trust": several("the trust stores whose roots were used", item_of("trust_store")),
    },
)

_CHAIN_FACT = record(
    "one problem or note of a chain",
    {
        "code": text("what it is; `analyzer fields --causes` explains the codes of problems, `notes` those of notes"),
        "certificate": or_null(
            number("place among the certificates sent, from 0; null if it was not sent, or for the whole chain")
        ),
        "detail": or_null(text("the same in a sentence")),
    },
)

_TRUST_STORE = record(
    "one trust store",
    {"store": text("mozilla, system, or the path of a file"), "date": text("the day of the store, as YYYY-MM-DD")},
)

_DECRYPTION = record(
    "what of the session was decrypted",
    {
        "status": one_of(
            "partial: some records; not_needed: nothing was encrypted", ("decrypted", "partial", "none", "not_needed")
        ),
        "reason": or_null(one_of("why not all; `analyzer fields --causes` explains it", tuple(codes("decryption_failures")))),
        "records": number("records that were decrypted"),
        "failed": number("records that were not decrypted although there were secrets"),
        "bytes": record(
            "application data after decryption",
            {"client": number("bytes that the client sent"), "server": number("bytes that the server sent")},
        ),
        "detail": or_null(text("what in the capture, or in the secrets that were given, shows the reason")),
        "advice": or_null(text("what to do next, for the kind of secrets that was given")),
    },
)

_CHECK_RESULT = one_of("the result of a check", ("verified", "failed", "absent", "unverifiable"))

_AUTHENTICITY = record(
    "what of the handshake was proved",
    {
        "server_signature": reference("the server's signature over the handshake", "check_result"),
        "client_signature": reference("the client's signature over the handshake", "check_result"),
        "finished": record(
            "the Finished messages against what they must be",
            {"client": reference("the client's", "check_result"), "server": reference("the server's", "check_result")},
        ),
        "detail": or_null(text("why something is unverifiable or failed")),
    },
)

_ECH = record(
    "Encrypted Client Hello (RFC 9849), which the client offered",
    {
        "status": one_of("result of the offer", ("offered", "accepted", "rejected", "grease")),
        "config_id": number("number of the configuration that the client used", maximum=255),
        "public_name": or_null(text("of the server's configuration, where the key log has that")),
        "outer_server_name": or_null(text("server name in the outer ClientHello")),
        "inner_server_name": or_null(text("server name in the inner ClientHello, once that is decrypted")),
        "inner": or_null(free_form("fields of the inner ClientHello, once that is decrypted; null without --messages")),
    },
)

OUTCOME = record(
    "what became of a connection: how far it came, who ended it, and why",
    {
        "result": one_of(
            "abandoned: nobody went on; unknown: the capture begins too late or ends too early",
            ("established", "failed", "abandoned", "unknown"),
        ),
        "ended_by": or_null(
            one_of(
                "who ended it; between: somebody on the path. Null where nobody has, as far as the capture shows",
                ("client", "server", "between", "nobody"),
            )
        ),
        "step": one_of("the last step that was reached", STEPS),
        "cause": or_null(
            one_of(
                "why; `analyzer fields --causes` explains it. Null where the result is established",
                tuple(codes("outcome_causes")),
            )
        ),
        "certainty": one_of("how sure the cause is", ("certain", "likely", "possible")),
        "detail": or_null(text("what both sides did, in a sentence")),
        "advice": or_null(text("what to do next")),
        "frames": several("frames in which it shows", FRAME),
        "durations": record(
            "how long the parts took, in seconds; null where the capture does not show it",
            {
                "tcp": or_null(decimal("from the client's SYN to the server's answer")),
                "hello": or_null(decimal("from the ClientHello to the ServerHello")),
                "handshake": or_null(decimal("from the ClientHello to the last Finished")),
                "total": or_null(decimal("from the first frame to the last")),
            },
        ),
    },
)

_PROCESS = record(
    "the process on the machine where the packets were captured",
    {
        "name": or_null(text("name of the process, without its path")),
        "pid": or_null(number("process id")),
        "user": or_null(text("name of its user, or the number of a user without a name")),
        "container": or_null(text("id of the container in which it runs; null also if it runs in none")),
    },
)

_GAP = record(
    "bytes of one side that the capture lacks",
    {
        "from": described(ROLE, "which side sent them"),
        "offset": number("of the first missing byte, from the start of the side's stream"),
        "length": or_null(number("how many bytes are missing; null if that is not known", minimum=1)),
        "after_frame": or_null(number("the last frame of that side before the gap; null where there is none", minimum=1)),
    },
)

_HEADERS = several("header fields in the order sent, each as [name, value]", several("name and value", text("name or value")))

_HTTP_EXCHANGE = record(
    "one HTTP request with its response, either of which the capture may lack",
    {
        "request": or_null(
            record(
                "the request",
                {
                    "method": or_null(text("such as GET")),
                    "scheme": or_null(text("http or https")),
                    "authority": or_null(text("host, and port where it is given")),
                    "path": or_null(text("path with the query")),
                    "headers": or_null(_HEADERS),
                    "frame": described(FRAME, "the frame that completed the header fields"),
                    "body_sha256": or_null(text("SHA-256 of the whole body without content coding, in hex", "^[0-9a-f]{64}$")),
                    "body_length": or_null(number("bytes of the body that were read, without content coding")),
                },
            )
        ),
        "response": or_null(
            record(
                "the response",
                {
                    "status": or_null(number("status code")),
                    "headers": or_null(_HEADERS),
                    "frame": described(FRAME, "the frame that completed the header fields"),
                    "body_sha256": or_null(text("SHA-256 of the whole body without content coding, in hex", "^[0-9a-f]{64}$")),
                    "body_length": or_null(number("bytes of the body that were read, without content coding")),
                },
            )
        ),
    },
)

FINDING = record(
    "something that a reader should know",
    {
        "code": one_of("what it is; `analyzer fields --findings` explains it", tuple(codes("findings"))),
        "severity": one_of("how bad it is", SEVERITIES),
        "detail": text("the same in a sentence"),
        "frames": several("frames in which it shows", FRAME),
    },
)

DEFINITIONS: dict[str, Schema] = {
    "time": TIME,
    "certificate_time": CERTIFICATE_TIME,
    "endpoint": ENDPOINT,
    "problem": _PROBLEM,
    "handshake_message": _HANDSHAKE_MESSAGE,
    "alert": _ALERT,
    "public_key": _PUBLIC_KEY,
    "certificate": _CERTIFICATE,
    "chain": _CHAIN,
    "chain_fact": _CHAIN_FACT,
    "revocation": _REVOCATION,
    "timestamp": _TIMESTAMP,
    "trust_store": _TRUST_STORE,
    "decryption": _DECRYPTION,
    "check_result": _CHECK_RESULT,
    "authenticity": _AUTHENTICITY,
    "ech": _ECH,
    "gap": _GAP,
    "before": BEFORE,
    "process": _PROCESS,
    "quic": QUIC,
    "http_exchange": _HTTP_EXCHANGE,
    "dns_message": DNS_MESSAGE,
    "finding": FINDING,
    "outcome": OUTCOME,
}

SESSION: Schema = document(
    "TLS session record",
    record(
        "One TLS session of a capture, over TCP, in QUIC, or DTLS. What is not known is null. Keys may be "
        "added, and are never renamed.",
        {
            "id": number("number in the run, from 0, in the order in which the first handshake bytes appear"),
            "protocol": one_of(
                "what carries the session: tls is TLS over TCP, inside another session or in EAP", ("tls", "dtls", "quic")
            ),
            **CAPTURE_KEYS,
            "client": reference("the side that sent the ClientHello", "endpoint"),
            "server": reference("the other side", "endpoint"),
            "before": or_null(
                several(
                    "what the connection carried before TLS, in order; empty where TLS is the first, null where the capture "
                    "does not show it",
                    item_of("before"),
                )
            ),
            "inside": or_null(
                number(
                    "id of the session whose decrypted data carries this one, behind CONNECT or SOCKS; the addresses and "
                    "frames are those of that session. Null where no session carries it"
                )
            ),
            "first_frame": described(FRAME, "first frame of the session's connection"),
            "last_frame": described(FRAME, "last frame of the session's connection"),
            "start_time": or_null(reference("time of the first frame; null where the capture has no time", "time")),
            "end_time": or_null(reference("time of the last frame; null where the capture has no time", "time")),
            "version": or_null(text("negotiated, such as TLS 1.3; null before a ServerHello")),
            "cipher_suite": or_null(text("IANA name; null before a ServerHello")),
            "cipher_suite_id": or_null(number("the number of the cipher suite")),
            "group": or_null(text("IANA name of the group of the key exchange")),
            "server_name": or_null(text("from the ClientHello; from the inner one once it is known to be accepted")),
            "alpn": or_null(text("the application protocol that the server chose")),
            "ech": or_null(reference("Encrypted Client Hello; null where it was not offered", "ech")),
            "established": or_null(
                flag(
                    "true where both Finished messages were seen, or encrypted records followed them; false where the "
                    "handshake ended otherwise; null where the capture does not show it"
                )
            ),
            "outcome": reference("what became of it, and why", "outcome"),
            "resumed": or_null(flag("whether it resumes a session; null where the capture does not show it")),
            "resumption": or_null(one_of("how it resumes", ("session_id", "ticket", "psk"))),
            "resumes": or_null(number("id of the session that it resumes, where that is in the capture")),
            "ja3": or_null(text("JA3 fingerprint of the first ClientHello; null where that is not whole", _MD5)),
            "ja3s": or_null(text("JA3S fingerprint of the ServerHello; null where that is not whole", _MD5)),
            "ja4": or_null(text("JA4 fingerprint of the first ClientHello; null where that is not whole")),
            "handshake": several("messages in the order in which they were complete", item_of("handshake_message")),
            "alerts": several("alerts in the order of the capture", item_of("alert")),
            "certificates": record(
                "certificates that were sent, the sender's own first; empty where the handshake shows that none was sent, null "
                "where the capture does not show it",
                {
                    "client": or_null(several("of the client", item_of("certificate"))),
                    "server": or_null(several("of the server", item_of("certificate"))),
                },
            ),
            "chain": reference("the verdict on the server's certificates", "chain"),
            "client_chain": reference("the verdict on the client's certificates", "chain"),
            "decryption": reference("what was decrypted, and why not all", "decryption"),
            "authenticity": reference("what of the handshake was proved", "authenticity"),
            "gaps": several("what the capture lacks of the session", item_of("gap")),
            "http": several("HTTP exchanges inside, in the order of the requests", item_of("http_exchange")),
            "dns": or_null(
                several("messages of DNS over QUIC inside; null where another protocol is read", item_of("dns_message"))
            ),
            "quic": or_null(reference("what QUIC shows beside TLS; null for another protocol", "quic")),
            "findings": several("what a reader should know", item_of("finding")),
            "process": or_null(
                reference("the client's process if that is local, else the server's; null where nobody says", "process")
            ),
        },
    ),
    DEFINITIONS,
)  # fmt: skip
"""The schema of a session record, as JSON values."""
