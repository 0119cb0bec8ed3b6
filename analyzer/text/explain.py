"""Explains each step of a handshake in a sentence, for a reader who is learning it (RFC 9846 section 2, RFC 5246 section 7)."""

from analyzer.text.language import Sentences, noted, say, translated_codes
from analyzer.text.message_summary import extensions_of
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.session import Session

BOTH: Sentences = {
    "hello_request": "The server asks the client to begin a new handshake on this connection (renegotiation).",
    "hello_verify_request": "The server sends a cookie, which the client has to repeat to show that its address is its own.",
    "server_key_exchange": (
        "The server sends its half of a fresh key exchange and signs it with the key of its certificate, so that "
        "nobody in between can put in another one."
    ),
    "certificate_request": "The server asks the client to identify itself with a certificate too.",
    "server_hello_done": "The server has said all it has to say and waits for the client.",
    "certificate_status": (
        "The server adds a fresh statement of the certificate's issuer that it is not revoked (OCSP stapling)."
    ),
    "certificate_verify": (
        "The sender signs all that was said so far, which proves that it has the private key of its certificate."
    ),
    "certificate_url": "The client says where its certificate can be fetched instead of sending it.",
    "compressed_certificate": "The certificate chain, compressed to save bytes.",
    "supplemental_data": "Further data that both hellos have agreed on.",
    "end_of_early_data": "The client marks the end of the data that it sent before the server had answered.",
    "request_connection_id": "The sender asks for more IDs under which it can reach its peer from other addresses.",
    "new_connection_id": "The sender gives IDs by which it knows the session when its peer writes from another address.",
    "key_update": "The sender moves on to new keys; what came before cannot be read with them.",
    "next_protocol": "The client names the protocol it chose, the way that came before ALPN.",
    "new_session_ticket": (
        "The server gives the client a ticket, with which a later connection can skip most of this handshake."
    ),
    "encrypted_handshake": "A handshake message that is already encrypted: without keys only its length can be seen.",
    "handshake_packets": (
        "Handshake packets of QUIC, already encrypted: the rest of this side's handshake, up to its Finished, and what it "
        "acknowledges; without keys only their length can be seen."
    ),
    "heartbeat": "A sign of life that the other side has to answer with the same bytes (RFC 6520).",
    "ssl2_client_hello": "The client begins as in SSL 2.0, of 1995, which has been broken for decades.",
}
"""The sentences for every version, by the RFC's name of the message."""

BEFORE_13: Sentences = {
    "client_hello": "The client opens: the versions and cipher suites it knows, and a random number.",
    "server_hello": (
        "The server chooses one version and one cipher suite from the client's lists and adds its own random number."
    ),
    "certificate": "The sender shows its certificate and those of the issuers above it: who it is, and who vouches for that.",
    "client_key_exchange": (
        "The client sends its half of the key exchange; now both sides can compute the same secret keys, and nobody "
        "who only listens can."
    ),
    "finished": (
        "A checksum over the whole handshake, the first message under the new keys: it shows that nobody has changed "
        "anything on the way."
    ),
    "change_cipher_spec": "From here on this side encrypts with the new keys.",
    "application_data": "The conversation itself, such as HTTP: encrypted, so that only lengths and times can be seen.",
    "alert": "An encrypted notice: it says goodbye, or why the connection is given up; only its length can be seen.",
}
"""The sentences up to TLS 1.2."""

SINCE_13: Sentences = {
    "client_hello": "The client opens: the versions and cipher suites it knows, and a random number.",
    "hello_retry_request": "The server cannot use the key shares sent and asks for another group: the client starts again.",
    "server_hello": (
        "The server chooses version and cipher suite: both sides now have keys, and everything after this is encrypted."
    ),
    "encrypted_extensions": "The server's answers to the client's offers, already encrypted.",
    "certificate": "The sender shows its certificate and those of the issuers above it, hidden from listeners since TLS 1.3.",
    "finished": "A checksum over the whole handshake: it shows that nobody has changed anything on the way.",
    "change_cipher_spec": "Means nothing in TLS 1.3: it is sent so that old devices on the way see what they know.",
    "early_data": (
        "Data sent before the server has answered, under keys of an earlier session (0-RTT); whoever records it can "
        "send it again."
    ),
    "encrypted_server": (
        "Encrypted: the rest of the server's handshake (EncryptedExtensions, Certificate, CertificateVerify, "
        "Finished), and whatever it sends with it."
    ),
    "encrypted_client": "Encrypted: the client's Finished, which ends the handshake, and its first data.",
    "application_data": (
        "The conversation itself, such as HTTP, and tickets and alerts, all looking alike: only lengths and times can be seen."
    ),
    "alert": "An encrypted notice: it says goodbye, or why the connection is given up; only its length can be seen.",
}
"""The sentences for TLS 1.3."""

RESUMED: Sentences = {
    "server_hello": (
        "The server takes up an earlier session again: the secret is known on both sides, so no certificate and no "
        "key exchange follow."
    ),
}
"""The sentences for a resumed session, up to TLS 1.2."""

RESUMED_13: Sentences = {
    "encrypted_server": (
        "Encrypted: the rest of the server's handshake (EncryptedExtensions, Finished), and whatever it sends with "
        "it; the key of the earlier session stands in for a certificate."
    ),
}
"""The sentences for a resumed session in TLS 1.3."""

ALERT = "alert: "
"""Begins the name of a step with an alert in plaintext or decrypted; behind it is the alert's own name."""

NAMED = noted("It also says, unencrypted, which server it wants.")

SHARED: Sentences = {
    "client_hello": "It already sends its half of the key exchange for the groups that it expects to be chosen.",
    "server_hello": "It sends its half of the key exchange.",
}
"""What comes with the hellos of TLS 1.3 that have a key share."""

UNSIGNED = noted("The server sends its half of a key exchange, or what the client needs for it.")
"""What a ServerKeyExchange without a signature is."""

UNOFFERED: Sentences = {
    "server_hello": "The server chooses a version and a cipher suite and adds its own random number.",
    "not_offered": "Something in this answer was not offered by the client: the findings say what.",
}
"""The sentences for a ServerHello with what the client did not offer: up to TLS 1.2 instead of the other one, and after it."""

FURTHER = (NAMED, *SHARED.values(), UNOFFERED["not_offered"])
"""The sentences that stand behind another one."""

OPENED = noted("The conversation itself, opened with the keys: what it carried stands below.")

GAP = noted("The capture lacks these bytes, not necessarily the connection: what was in them cannot be told.")


def step_sentences(name: str, session: Session, message: HandshakeMessage | None) -> list[str]:
    """Return the sentences for a step of a session; empty if there are none. message: of the step, None for another step."""
    parameters, decryption = session.handshake.parameters, session.handshake.decryption
    suite = parameters.suite
    opened = decryption is not None and any(decryption.sent) and suite is not None and suite.mode != "null"
    if name == "application_data" and opened:
        return [say(OPENED)]
    sentences = explanation(name, parameters.tls13, bool(parameters.resumption), message)
    if name == "server_hello" and message is not None and _is_unoffered(session, message.frame):
        whole = say(BEFORE_13[name])
        return [say(UNOFFERED[name]) if one == whole else one for one in sentences] + [say(UNOFFERED["not_offered"])]
    return sentences


def _is_unoffered(session: Session, frame: int) -> bool:
    """Return whether the answer in this frame contains what the client did not offer."""
    return any(one.code == "not_offered" and frame in one.frames for one in session.log.findings)


def explanation(name: str, tls13: bool, resumed: bool, message: HandshakeMessage | None = None) -> list[str]:
    """Return the sentences for a step; empty if there are none. message: of the step, for what only it shows."""
    if name.startswith(ALERT):
        known = translated_codes("alert_meanings").get(name.removeprefix(ALERT))
        return [] if known is None else [known.meaning]
    special = (RESUMED_13 if tls13 else RESUMED) if resumed else {}
    sentence = special.get(name) or (SINCE_13 if tls13 else BEFORE_13).get(name) or BOTH.get(name)
    if message is None or message.body is None:
        return [say(sentence)] if sentence else []
    fields = message.body.json()
    if name == "server_key_exchange" and "signed_params" not in fields:
        return [say(UNSIGNED)]
    extensions = extensions_of(fields)
    sentences = [say(sentence)] if sentence else []
    if tls13 and name in SHARED and "key_share" in extensions:
        sentences.append(say(SHARED[name]))
    if name == "client_hello" and "server_name" in extensions:
        sentences.append(say(NAMED))
    return sentences
