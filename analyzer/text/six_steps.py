"""Explains the handshake of one session in six steps, with its own values: hello, answer, certificate, secret, keys, data.

There are four ways through them: RSA key exchange (RFC 5246 section 7.4.7.1), ephemeral Diffie-Hellman (RFC 5246 section 7.4.3,
RFC 8422), TLS 1.3 (RFC 9846 section 2), and a resumed session up to TLS 1.2 (RFC 5246 section 7.3, RFC 5077). What a step
shows comes from the messages that were seen; a step without its message says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from analyzer.text.authentication_text import check_text, decryption_text
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, size_text
from analyzer.text.handshake_steps import Step
from analyzer.text.language import Sentences, noted, say
from analyzer.text.message_summary import Facts, Fields, certificate_facts, extensions_of, key_text, message_facts
from analyzer.text.punctuation import beside, clauses, labelled, listing
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.session import Session
from analyzer.x509.certificate import certificate

RSA, EPHEMERAL, TLS13, RESUMED, OTHER = "rsa", "ephemeral", "tls13", "resumed", "other"
"""The ways through a handshake."""

PSK, PSK_ONLY = "psk", "psk_only"
"""TLS 1.3 with a pre-shared key: with a key exchange beside it, and without one (psk_ke)."""

_SHOWN_HEX = 32
"""Hex digits of a public key or of an encrypted secret that are shown."""

WAYS: Sentences = {
    RSA: "RSA key exchange",
    EPHEMERAL: "ephemeral Diffie-Hellman",
    TLS13: "TLS 1.3",
    RESUMED: "resumed session",
    OTHER: "another key exchange",
}

_TITLES_3: Sentences = {
    RSA: "Certificate checked, premaster secret encrypted to it",
    EPHEMERAL: "Certificate checked, key shares exchanged",
    TLS13: "Key shares exchanged, certificate checked",
    RESUMED: "No certificate and no key exchange: an earlier session is resumed",
    PSK: "No certificate: both sides know a key already (PSK)",
    OTHER: "The key exchange",
}
_TITLES_4: Sentences = {
    RSA: "The server opens the premaster secret",
    EPHEMERAL: "Both sides compute the same shared secret",
    TLS13: "Both sides compute the same shared secret",
    RESUMED: "Both sides take up the earlier master secret",
    PSK_ONLY: "Both sides have the same secret",
    OTHER: "Both sides have the same secret",
}
_HELLO: Sentences = {
    TLS13: (
        "The client names the versions and cipher suites that it knows, and adds 32 random bytes and a fresh public key "
        "for each group that it expects to be chosen (key share). All this is unencrypted."
    ),
    OTHER: "The client names the versions and cipher suites that it knows and adds 32 random bytes. All this is unencrypted.",
}
_HELLO_NAMED: Sentences = {
    TLS13: (
        "The client names the versions and cipher suites that it knows and the server that it wants, and adds 32 random "
        "bytes and a fresh public key for each group that it expects to be chosen (key share). All this is unencrypted."
    ),
    OTHER: (
        "The client names the versions and cipher suites that it knows and the server that it wants, and adds 32 random "
        "bytes. All this is unencrypted."
    ),
}
"""The same where the hello has a server name."""

_ANSWER: Sentences = {
    TLS13: (
        "The server chooses one version and one cipher suite from these lists, adds its own 32 random bytes and its "
        "own fresh public key for one group. What follows is already encrypted."
    ),
    PSK_ONLY: (
        "The server chooses one version and one cipher suite from these lists, adds its own 32 random bytes, and takes a "
        "key that both sides have already (PSK). What follows is already encrypted."
    ),
    RESUMED: (
        "The server chooses version and cipher suite, adds its own 32 random bytes, and agrees to resume the session "
        "that the client has named."
    ),
    OTHER: (
        "The server chooses one version and one cipher suite from these lists and adds its own 32 random bytes. Both "
        "random values go into the keys, so no two sessions have the same keys."
    ),
}
_EXCHANGE: Sentences = {
    RSA: (
        "The client checks the certificate: its chain up to a root that it trusts, its dates, its names. Then it makes "
        "a premaster secret of 48 bytes (the version and 46 random bytes), encrypts it with the public key of the "
        "certificate, and sends it in ClientKeyExchange."
    ),
    EPHEMERAL: (
        "The client checks the certificate: its chain up to a root that it trusts, its dates, its names. With the "
        "public key of the certificate it checks the signature on the server's fresh public key (ServerKeyExchange), "
        "so that nobody in between can put in another one. Then it sends its own fresh public key (ClientKeyExchange). "
        "No secret is sent."
    ),
    TLS13: (
        "The fresh public keys of both sides were in the hellos. The certificate comes after them, encrypted: the "
        "client checks its chain, its dates and its names, and then the signature of CertificateVerify, which the "
        "server made over all messages so far with the private key of the certificate."
    ),
    RESUMED: (
        "Both sides still have the master secret of an earlier session. Who the server is rests on that session: now "
        "neither a certificate nor a key exchange is needed."
    ),
    PSK: (
        "The fresh public keys of both sides were in the hellos. No certificate comes: a key of an earlier session, or "
        "one that both sides had before (PSK), shows who they are."
    ),
    PSK_ONLY: (
        "Neither public keys nor a certificate come: a key of an earlier session, or one that both sides had before "
        "(PSK), shows who they are."
    ),
    OTHER: "How both sides come to a secret depends on the key exchange of the cipher suite.",
}
_SECRET: Sentences = {
    RSA: (
        "Only the private key of the certificate opens the premaster secret: a server that can go on from here has "
        "shown who it is. Now both sides have the same premaster secret. Anybody who gets that private key later can "
        "decrypt a recording of this session: there is no forward secrecy."
    ),
    EPHEMERAL: (
        "Each side combines its own private value with the public key of the other side; both get the same result, the "
        "premaster secret. Where both delete their private values then, nobody who gets the key of the certificate "
        "later can decrypt a recording: this is forward secrecy."
    ),
    TLS13: (
        "Each side combines its own private value with the public key of the other side; both get the same shared "
        "secret. Where both delete their private values then, nobody who gets a long-term key later can decrypt a "
        "recording: this is forward secrecy."
    ),
    PSK_ONLY: (
        "The secret is the key that both sides had before. Anybody who gets it later can decrypt a recording of this "
        "session: there is no forward secrecy."
    ),
    RESUMED: (
        "The client names the earlier session by its id, or by a ticket that only the server can open. Whoever has the "
        "earlier master secret can decrypt this session too."
    ),
    OTHER: "At its end both sides have the same premaster secret.",
}
_KEYS: Sentences = {
    TLS13: (
        "From the shared secret and a hash of the messages, HKDF gives each side the keys of both directions: first "
        "those of the handshake, then those of the data. Finished is a MAC over all messages before it: if both agree, "
        "nobody has changed the handshake on the way."
    ),
    RESUMED: (
        "From the earlier master secret and the new random values each side computes the same new keys. "
        "ChangeCipherSpec says that they are in use. Here the server sends its Finished first; it is a checksum over "
        "the whole handshake."
    ),
    OTHER: (
        "From the premaster secret and both random values each side computes the same master secret, and from it the "
        "keys of both directions. ChangeCipherSpec says that they are in use. Finished, the first message under them, "
        "is a checksum over the whole handshake: if both agree, nobody has changed it on the way."
    ),
}
_DATA = noted(
    "Now the application speaks, for example HTTP. Every record is encrypted and protected against changes with these "
    "keys; without them, only lengths and times can be seen."
)


_Seen = dict[tuple[str, int], HandshakeMessage]


@dataclass(slots=True)
class Explained:
    """One of the six steps. title, sentence: in the language of the results. frames: of its messages. facts: its values."""

    title: str
    sentence: str
    frames: list[int] = field(default_factory=list)
    facts: Facts = field(default_factory=list)


def way_of(session: Session) -> str:
    """Return the way that a session took through the handshake: one of the constants above."""
    parameters = session.handshake.parameters
    if parameters.tls13:
        return TLS13
    if parameters.resumption:
        return RESUMED
    name = parameters.suite.name if parameters.suite is not None else ""
    if name.startswith(("TLS_RSA_WITH_", "TLS_RSA_EXPORT")):
        return RSA
    return EPHEMERAL if name.startswith(("TLS_ECDHE_", "TLS_DHE_")) and "_PSK_" not in name else OTHER


def six_steps(
    session: Session, record: dict[str, Any], steps: Sequence[Step], verdict: str, resumed: str | None
) -> list[Explained]:
    """Return the six steps of a session.

    record: the session's record. steps: its steps as the ladder has them. verdict: one line on the server's chain, empty
    without one. resumed: the line about its resumption, None if that is not known.
    """
    way = way_of(session)
    seen: dict[tuple[str, int], HandshakeMessage] = {}
    for message in session.log.messages:
        seen.setdefault((message.name, message.role), message)
    hellos = [message for message in session.log.messages if message.name == "client_hello"]
    if ("hello_retry_request", 1) in seen and hellos:  # the second ClientHello is the one that counts
        seen["client_hello", 0] = hellos[-1]
    explained = [
        _hello(way, seen),
        _answer(way, seen),
        _exchange(way, seen, session, record, verdict, resumed),
        _secret(way, seen, session, record),
        _keys(way, seen, record),
        _data(record, steps),
    ]
    came = _came(way, seen, session, record) | {6 * bool(explained[5].frames)}
    for number, one in enumerate(explained, 1):
        if number not in came:
            one.sentence = say("Not seen here. In a complete handshake: {sentence}", sentence=one.sentence)
        if not one.frames and not one.facts:
            one.facts.append((say("seen"), say("nothing of this is in the capture")))
    return explained


def _came(way: str, seen: _Seen, session: Session, record: dict[str, Any]) -> set[int]:
    """Return which of the first five steps the session has taken: by their messages, or because the handshake was completed."""
    if record["established"]:
        return {1, 2, 3, 4, 5}
    answered = ("server_hello", 1) in seen
    resumed = way == RESUMED or (way == TLS13 and bool(session.handshake.parameters.resumption))
    exchanged = ("certificate_verify", 1) in seen if way == TLS13 else ("client_key_exchange", 0) in seen
    found = {1} if ("client_hello", 0) in seen else set()
    if answered:
        found.add(2)
    if exchanged or (answered and resumed):
        found |= {3, 4}
    if ("finished", 0) in seen and ("finished", 1) in seen:
        found.add(5)
    return found


def _hello(way: str, seen: _Seen) -> Explained:
    step = Explained(say("The client opens: ClientHello"), say(_HELLO[TLS13 if way == TLS13 else OTHER]))
    message = _take(step, seen, "client_hello", 0)
    if message is not None:
        fields = _fields(message)
        extensions = extensions_of(fields)
        sentences = _HELLO_NAMED if "server_name" in extensions else _HELLO
        step.sentence = say(sentences[TLS13 if way == TLS13 and "key_share" in extensions else OTHER])
        step.facts += message_facts(message)
        _add_random(step, fields)
    return step


def _answer(way: str, seen: _Seen) -> Explained:
    step = Explained(say("The server answers: ServerHello"), say(_ANSWER.get(way, _ANSWER[OTHER])))
    message = _take(step, seen, "hello_retry_request", 1)
    if message is not None:
        step.facts.append((say("before it"), say("HelloRetryRequest: the server asked for a key share of another group")))
    message = _take(step, seen, "server_hello", 1)
    if message is not None:
        if _takes_psk_only(way, seen):
            step.sentence = say(_ANSWER[PSK_ONLY])
        step.facts += message_facts(message)
        _add_random(step, _fields(message))
    return step


def _takes_psk_only(way: str, seen: _Seen) -> bool:
    """Return whether the ServerHello of TLS 1.3 chooses a pre-shared key without a key exchange (RFC 9846 section 4.2.9)."""
    message = seen.get(("server_hello", 1))
    if way != TLS13 or message is None:
        return False
    extensions = extensions_of(_fields(message))
    return "pre_shared_key" in extensions and "key_share" not in extensions


def _exchange(way: str, seen: _Seen, session: Session, record: dict[str, Any], verdict: str, resumed: str | None) -> Explained:
    step = Explained(say(_TITLES_3[way]), say(_EXCHANGE[way]))
    if way == RESUMED:
        step.facts.append((say("resumed"), harmless(resumed or say("yes"))))
        return step
    if way == TLS13:
        _add_shares(step, seen, session)
        if session.handshake.parameters.resumption:
            step.title = say(_TITLES_3[PSK])
            step.sentence = say(_EXCHANGE[PSK_ONLY if _takes_psk_only(way, seen) else PSK])
            step.facts.append((say("resumed"), harmless(resumed or say("yes"))))
            return step
    message = _take(step, seen, "certificate", 1) or _take(step, seen, "compressed_certificate", 1)
    ders = session.handshake.certificates[1]
    if ders and ders[0] != CUT:
        step.facts += certificate_facts(ders[:1])
    elif way == TLS13 and ("server_hello", 1) in seen:
        step.facts.append((say("certificate"), say("encrypted, and not opened: no keys for it were given")))
    if verdict:
        step.facts.append((say("chain"), harmless(verdict)))
    signed = "certificate_verify" if way == TLS13 else "server_key_exchange"
    message = _take(step, seen, signed, 1)
    if message is not None:
        if way == EPHEMERAL:
            step.facts.append((say("server's share"), _key_text(_public(_fields(message)))))
        step.facts += message_facts(message)
        checked = check_text(record["authenticity"], signed, "server")
        if checked is not None:
            step.facts.append((say("check"), checked[0]))
    message = _take(step, seen, "client_key_exchange", 0)
    if message is not None:
        fields = _fields(message)
        encrypted = fields.get("encrypted_pre_master_secret")
        if encrypted:
            step.facts.append((say("premaster"), say("encrypted: {hex}", hex=_key_text(encrypted))))
        elif way == EPHEMERAL:
            step.facts.append((say("client's share"), _key_text(_public(fields))))
    return step


def _secret(way: str, seen: _Seen, session: Session, record: dict[str, Any]) -> Explained:
    kind = PSK_ONLY if _takes_psk_only(way, seen) else way
    step = Explained(say(_TITLES_4[kind]), say(_SECRET[kind]))
    parameters = session.handshake.parameters
    ders = session.handshake.certificates[1]
    if way == RSA and ders and ders[0] != CUT:
        key = key_text(certificate(ders[0]).record()["public_key"])
        step.facts.append((say("private key"), say("that of the certificate: {key}", key=key)))
    if way in (EPHEMERAL, TLS13):
        if record["group"]:
            step.facts.append((say("group"), str(record["group"])))
        elif parameters.dh_prime:
            step.facts.append((say("DH prime"), say("{n} bits", n=len(parameters.dh_prime.lstrip(b"\0")) * 8)))
        elif way == TLS13 and parameters.resumption and ("server_hello", 1) in seen:
            step.facts.append((say("group"), say("none: only the pre-shared key, without forward secrecy")))
    if way == RESUMED:
        step.facts.append((say("by"), say(record["resumption"])))
    status = record["decryption"]["status"]
    if status in ("decrypted", "partial"):
        step.facts.append((say("here"), say("the keys given to the analyzer hold the same secret")))
    return step


def _keys(way: str, seen: _Seen, record: dict[str, Any]) -> Explained:
    step = Explained(say("Keys on both sides, and Finished"), say(_KEYS.get(way, _KEYS[OTHER])))
    suite = record["cipher_suite"] or ""
    cipher = suite.partition("_WITH_")[2] or (suite.removeprefix("TLS_") if way == TLS13 else "")
    if cipher:
        step.facts.append((say("cipher"), cipher))
    for role, side in enumerate(("client", "server")):
        message = _take(step, seen, "finished", role)
        if message is None:
            continue
        checked = check_text(record["authenticity"], "finished", side)
        where = say("Finished in frame {n}", n=message.frame)
        step.facts.append((say(side), labelled(where, checked[0]) if checked is not None else where))
    if record["established"] is False:
        step.facts.append((say("established"), say("no")))
    return step


def _data(record: dict[str, Any], steps: Sequence[Step]) -> Explained:
    step = Explained(say("Application data"), say(_DATA))
    unit = "packet" if record["protocol"] == "quic" else "record"
    count, n_bytes = [0, 0], [0, 0]
    for one in steps:
        if one.kind == "application_data":
            step.frames += [one.frame, one.last_frame]
            for side in range(2):
                count[side] += one.count[side]
                n_bytes[side] += one.n_bytes[side]
    for side, name in enumerate(("client", "server")):
        if count[side]:
            step.facts.append((say(name), clauses(count_text(count[side], unit), size_text(n_bytes[side]))))
    if step.frames:
        step.facts.append((say("decryption"), harmless(decryption_text(record["decryption"], record["protocol"]))))
    return step


def _take(step: Explained, seen: _Seen, name: str, role: int) -> HandshakeMessage | None:
    message = seen.get((name, role))
    if message is not None and message.frame not in step.frames:
        step.frames.append(message.frame)
    return message


def _fields(message: HandshakeMessage) -> Fields:
    return {} if message.body is None else message.body.json()


def _add_random(step: Explained, fields: Fields) -> None:
    if fields.get("random"):
        step.facts.append((say("random"), str(fields["random"])))


def _add_shares(step: Explained, seen: _Seen, session: Session) -> None:
    ours, theirs = seen.get(("client_hello", 0)), seen.get(("server_hello", 1))
    for message, label in ((ours, say("client's share")), (theirs, say("server's share"))):
        extensions = _fields(message).get("extensions") or () if message is not None else ()
        share = next((entry["body"] for entry in extensions if entry["type"] == "key_share"), None)
        if not isinstance(share, dict):
            continue
        entries = share.get("client_shares") or [share.get("server_share")]
        shown = [
            f"{harmless(str(entry['group']))} {_key_text(entry.get('key_exchange'))}"
            for entry in entries
            if isinstance(entry, dict) and entry.get("group") and not str(entry["group"]).startswith("GREASE ")
        ]
        if shown:
            step.facts.append((label, listing(shown)))


def _public(fields: Fields) -> Any:
    parts = fields.get("params") or fields
    if not isinstance(parts, dict):
        return None
    return next((parts[name] for name in ("public", "dh_Ys", "ecdh_Yc", "dh_Yc") if parts.get(name)), None)


def _key_text(key: Any) -> str:
    if isinstance(key, dict):  # a hybrid share: the parts follow each other
        key = "".join(part for part in key.values() if isinstance(part, str))
    if not isinstance(key, str) or not key:
        return say("unreadable")
    size = count_text(len(key) // 2, "byte")
    return beside(key if len(key) <= _SHOWN_HEX else f"{key[:_SHOWN_HEX]}…", size)
