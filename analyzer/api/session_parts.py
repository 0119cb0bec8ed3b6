"""The parts of a session record as typed objects, each as `store.schema` declares it.

The names of the attributes are the keys of the JSON output, and their docstrings the declared meanings: `help(Alert)`.
"""

from collections.abc import Mapping
from typing import Any

from analyzer.api.endpoint_object import Endpoint
from analyzer.api.quic_parts import DnsMessage, Quic
from analyzer.api.typed_record import Record
from analyzer.store.declaration import Schema, find
from analyzer.store.schema import DEFINITIONS, SESSION
from analyzer.store.session_record import message_record


def _part(path: str) -> Schema:
    return find(SESSION, path.split("."))


class Problem(Record, declared=DEFINITIONS["problem"]):
    """What could not be read in a message: the field by the RFC, the offset in bytes, and what is wrong there."""

    field: str
    offset: int
    detail: str


class HandshakeMessage(Record, declared=DEFINITIONS["handshake_message"]):
    """One handshake message. `message` has its decoded fields if they were requested with `messages=True`, else None.

    The fields are decoded when `message` is first asked for.
    """

    type: str
    sender: str
    frame: int
    time: str | None
    length: int
    encrypted: bool
    message: dict[str, Any] | None
    problems: tuple[Problem, ...]

    def __init__(self, seen: Any, messages: bool) -> None:
        """seen: the message as an event of the engine. messages: whether `message` is wanted."""
        super().__init__({})
        self._seen = seen
        self._messages = messages

    def _json(self) -> Any:
        return message_record(self._seen, self._messages)

    def _value(self, key: str) -> Any:
        if key == "message":
            if "message" not in self._made:
                wanted = self._messages and self._seen.body is not None
                self._made["message"] = self._seen.body.json() if wanted else None
            return self._made["message"]
        if not self._values:
            self._values = message_record(self._seen, False)
        return self._values.get(key)


class Alert(Record, declared=DEFINITIONS["alert"]):
    """One alert; `level` and `description` are None while it is encrypted."""

    level: str | None
    description: str | None
    sender: str
    frame: int
    encrypted: bool
    injected: bool


class PublicKey(Record, declared=DEFINITIONS["public_key"]):
    """The key in a certificate; `bits` and `curve` are None for types that have none."""

    type: str
    bits: int | None
    curve: str | None


class Certificate(Record, declared=DEFINITIONS["certificate"]):
    """One certificate as it was sent. Nothing is verified here; `Session.chain` is the verdict."""

    subject: str | None
    issuer: str | None
    serial: str | None
    not_before: str | None
    not_after: str | None
    sha256: str | None
    subject_alt_names: tuple[str, ...] | None
    public_key: PublicKey | None
    signature_algorithm: str | None
    type: str


class Certificates(Record, declared=_part("certificates")):
    """The certificates that each side sent, its own first."""

    client: tuple[Certificate, ...] | None
    server: tuple[Certificate, ...] | None


class ChainFact(Record, declared=DEFINITIONS["chain_fact"]):
    """One problem or note of a chain: a code, the place of the certificate, and a sentence."""

    code: str
    certificate: int | None
    detail: str | None


class Revocation(Record, declared=DEFINITIONS["revocation"]):
    """What revocation data says of one certificate."""

    sha256: str
    status: str
    source: str | None
    detail: str


class Timestamp(Record, declared=DEFINITIONS["timestamp"]):
    """One signed certificate timestamp (RFC 6962)."""

    source: str
    log: str | None
    log_id: str
    time: str | None
    status: str
    detail: str


class TrustStore(Record, declared=DEFINITIONS["trust_store"]):
    """One trust store, and its day."""

    store: str
    date: str


class Chain(Record, declared=DEFINITIONS["chain"]):
    """The verdict on the certificates of one side: `verdict` is valid, invalid or absent, and `problems` says why."""

    verdict: str
    at: str | None
    name: str | None
    path: tuple[str, ...]
    problems: tuple[ChainFact, ...]
    notes: tuple[ChainFact, ...]
    revocation: tuple[Revocation, ...]
    scts: tuple[Timestamp, ...]
    trust: tuple[TrustStore, ...]


class BySide(Record, declared=_part("decryption.bytes")):
    """Bytes of application data after decryption, by the side that sent them."""

    client: int
    server: int


class Decryption(Record, declared=DEFINITIONS["decryption"]):
    """What of a session was decrypted; `reason` says why not all."""

    status: str
    reason: str | None
    records: int
    failed: int
    bytes: BySide
    detail: str | None
    advice: str | None


class Finished(Record, declared=_part("authenticity.finished")):
    """The Finished messages of both sides, against what they must be."""

    client: str
    server: str


class Authenticity(Record, declared=DEFINITIONS["authenticity"]):
    """What of a handshake was proved: verified, failed, absent or unverifiable, for each proof."""

    server_signature: str
    client_signature: str
    finished: Finished
    detail: str | None


class EncryptedClientHello(Record, declared=DEFINITIONS["ech"]):
    """An offer of Encrypted Client Hello (RFC 9849), and its result."""

    status: str
    config_id: int
    public_name: str | None
    outer_server_name: str | None
    inner_server_name: str | None
    inner: dict[str, Any] | None


class Place(Record, declared=_part("before.0.target")):
    """A host and its port; port is None if it is not known."""

    host: str
    port: int | None


class BeforeTls(Record, declared=DEFINITIONS["before"]):
    """One protocol that the connection carried before TLS; None for what it does not say."""

    protocol: str
    version: str | None
    client: Endpoint | None
    server: Endpoint | None
    target: Place | None
    user: str | None
    user_agent: str | None
    client_name: str | None
    server_name: str | None
    status: int | None
    details: dict[str, Any]
    bytes: BySide


class Durations(Record, declared=_part("outcome.durations")):
    """How long the parts of a connection took, in seconds; None where the capture does not show it."""

    tcp: float | None
    hello: float | None
    handshake: float | None
    total: float | None


class Outcome(Record, declared=DEFINITIONS["outcome"]):
    """What became of a connection: how far it came, who ended it, and why; `cause` is None for one that was established."""

    result: str
    ended_by: str | None
    step: str
    cause: str | None
    certainty: str
    detail: str | None
    advice: str | None
    frames: tuple[int, ...]
    durations: Durations


class Process(Record, declared=DEFINITIONS["process"]):
    """The process of a session, on the machine where its packets were captured; None for what is not known of it."""

    name: str | None
    pid: int | None
    user: str | None
    container: str | None


class Gap(Record, declared=DEFINITIONS["gap"]):
    """Bytes of one side that the capture lacks."""

    sender: str
    offset: int
    length: int | None
    after_frame: int | None


class HttpRequest(Record, declared=_part("http.0.request")):
    """The request of an HTTP exchange; each header field is a tuple of name and value."""

    method: str | None
    scheme: str | None
    authority: str | None
    path: str | None
    headers: tuple[tuple[str, str], ...] | None
    frame: int
    body_sha256: str | None
    body_length: int | None


class HttpResponse(Record, declared=_part("http.0.response")):
    """The response of an HTTP exchange; each header field is a tuple of name and value."""

    status: int | None
    headers: tuple[tuple[str, str], ...] | None
    frame: int
    body_sha256: str | None
    body_length: int | None


class HttpExchange(Record, declared=DEFINITIONS["http_exchange"]):
    """One HTTP request with its response; either is None if the capture lacks it."""

    request: HttpRequest | None
    response: HttpResponse | None


class Finding(Record, declared=DEFINITIONS["finding"]):
    """Something that a reader should know: a code (`analyzer fields --findings`), a severity, a sentence, the frames."""

    code: str
    severity: str
    detail: str
    frames: tuple[int, ...]


PARTS: Mapping[str, type[Record]] = {
    "endpoint": Endpoint,
    "problem": Problem,
    "handshake_message": HandshakeMessage,
    "alert": Alert,
    "public_key": PublicKey,
    "certificate": Certificate,
    "chain": Chain,
    "chain_fact": ChainFact,
    "revocation": Revocation,
    "timestamp": Timestamp,
    "trust_store": TrustStore,
    "decryption": Decryption,
    "authenticity": Authenticity,
    "ech": EncryptedClientHello,
    "gap": Gap,
    "before": BeforeTls,
    "process": Process,
    "outcome": Outcome,
    "http_exchange": HttpExchange,
    "quic": Quic,
    "dns_message": DnsMessage,
    "finding": Finding,
}
"""The class of each definition in the schema of session records."""
