"""The scenes that show TLS itself: versions, key exchanges, certificates, resumption, alerts, renegotiation."""

from __future__ import annotations

import ssl
import subprocess
from typing import Any

from certificates import Identity
from contexts import external_psk
from endpoints import Bundled, Exchange, Standard
from scene import Scene, UnavailableError
from wire import SIDES, Conversation

_NAME = "www.example"
_REQUEST = b"GET / HTTP/1.1\r\nHost: www.example\r\nUser-Agent: demonstration\r\nAccept: */*\r\n\r\n"
_RESPONSE = b"HTTP/1.1 200 OK\r\nServer: example\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n\r\nHello, world.\n"


def tls10_rsa(scene: Scene) -> None:
    """TLS 1.0, RSA key exchange, AES-128-CBC, without the extended master secret; in a big-endian microsecond pcap file."""
    scene.suffix, scene.byte_order, scene.microsecond = "pcap", "big", True
    identity = scene.authority.issue(_NAME, key="rsa")
    _visit(scene, identity, version="1.0", ciphers="AES128-SHA", modern=False)


def tls11_ecdhe_rsa(scene: Scene) -> None:
    """TLS 1.1 with ECDHE on X25519, an RSA certificate and AES-256-CBC with SHA-1, MAC before encryption."""
    identity = scene.authority.issue(_NAME, key="rsa")
    _visit(scene, identity, version="1.1", ciphers="ECDHE-RSA-AES256-SHA", modern=False)


def tls12_rsa_key_exchange(scene: Scene) -> None:
    """TLS 1.2 with RSA key exchange; the server's private key lies beside the capture, for `--rsa-key`."""
    identity = scene.authority.issue(_NAME, key="rsa")
    (scene.folder / f"{scene.name}.key.pem").write_bytes(identity.key_pem())
    _visit(scene, identity, version="1.2", ciphers="AES128-GCM-SHA256")


def tls12_dhe_rsa(scene: Scene) -> None:
    """TLS 1.2 with ephemeral Diffie-Hellman over the ffdhe2048 prime, and AES-256-CBC with encrypt-then-MAC."""
    identity = scene.authority.issue(_NAME, key="rsa")
    contexts = scene.contexts(identity, version="1.2", ciphers="DHE-RSA-AES256-SHA256")
    parameters = scene.folder / "ffdhe2048.pem"
    command = ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", str(parameters)]
    subprocess.run(command, check=True)
    contexts[1].load_dh_params(str(parameters))
    parameters.unlink()
    conversation = scene.connect()
    _chat(scene.talk(conversation, contexts, _NAME, server=identity), conversation)


def tls12_ecdhe_ecdsa(scene: Scene) -> None:
    """TLS 1.2 with ECDHE on P-256, an ECDSA certificate, AES-128-GCM and ALPN."""
    identity = scene.authority.issue(_NAME)
    _visit(
        scene,
        identity,
        version="1.2",
        ciphers="ECDHE-ECDSA-AES128-GCM-SHA256",
        server={"curve": "prime256v1"},
        alpn=("http/1.1",),
    )


def tls12_ed25519(scene: Scene) -> None:
    """TLS 1.2 with an Ed25519 certificate and ChaCha20-Poly1305."""
    identity = scene.authority.issue(_NAME, key="ed25519")
    _visit(scene, identity, version="1.2", ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")


def tls12_aes_ccm(scene: Scene) -> None:
    """TLS 1.2 with AES-128-CCM and a tag of eight bytes (RFC 7251)."""
    _visit(scene, scene.authority.issue(_NAME), version="1.2", ciphers="ECDHE-ECDSA-AES128-CCM8")


def tls12_client_certificate(scene: Scene) -> None:
    """TLS 1.2 in which the server asks for a certificate and the client proves itself with an ECDSA one."""
    _mutual(scene, "1.2")


def tls12_session_id_resumption(scene: Scene) -> None:
    """TLS 1.2: a full handshake, then a second connection that resumes the session by its session id."""
    _resume(scene, "1.2", "session_id", tickets=False)


def tls12_ticket_resumption(scene: Scene) -> None:
    """TLS 1.2: a full handshake, then a second connection that resumes the session by its ticket (RFC 5077)."""
    _resume(scene, "1.2", "ticket")


def tls12_renegotiation(scene: Scene) -> None:
    """TLS 1.2: the server asks for a renegotiation; the second handshake goes under the keys of the first (RFC 5746)."""
    identity = scene.authority.issue(_NAME)
    contexts = scene.bundled_contexts(identity, version="1.2", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")
    from OpenSSL import SSL

    for each in contexts:
        each.set_options(SSL.OP_NO_TICKET)
        each.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    conversation = scene.connect()
    exchange = scene.talk(conversation, contexts, _NAME, server=identity)
    exchange.say("client", _REQUEST)
    server = exchange.ends["server"]
    assert isinstance(server, Bundled)
    server.tls.renegotiate()
    server.step()
    while exchange.flush("server") | exchange.flush("client"):
        exchange.ends["client"].read()
        server.read()
    if server.tls.total_renegotiations() != 1:
        raise UnavailableError("this OpenSSL does not renegotiate")
    exchange.say("server", _RESPONSE)
    exchange.close()
    conversation.close()


def tls13_x25519(scene: Scene) -> None:
    """TLS 1.3 with X25519, an ECDSA certificate and AES-128-GCM, with ALPN inside the encrypted extensions."""
    identity = scene.authority.issue(_NAME)
    _visit_suite(scene, identity, "TLS_AES_128_GCM_SHA256", alpn=("h2", "http/1.1"))


def tls13_rsa(scene: Scene) -> None:
    """TLS 1.3 with an RSA certificate, whose signature is RSASSA-PSS, the group secp256r1 and AES-256-GCM."""
    identity = scene.authority.issue(_NAME, key="rsa")
    _visit(scene, identity, version="1.3", curve="prime256v1")


def tls13_ed25519(scene: Scene) -> None:
    """TLS 1.3 with an Ed25519 certificate and ChaCha20-Poly1305."""
    _visit_suite(scene, scene.authority.issue(_NAME, key="ed25519"), "TLS_CHACHA20_POLY1305_SHA256")


def tls13_client_certificate(scene: Scene) -> None:
    """TLS 1.3 in which the client proves itself with an ECDSA certificate."""
    _mutual(scene, "1.3")


def tls13_post_handshake_authentication(scene: Scene) -> None:
    """TLS 1.3: the server asks for the client's certificate only after the request (RFC 8446, 4.6.2).

    tshark 4.0 cannot follow the client behind its second Finished; the alerts are as the endpoints sent them.
    """
    identity, person = scene.authority.issue(_NAME), scene.authority.issue("alice@example.com", client=True)
    trust = scene.authority.root_pem()
    contexts = scene.contexts(identity, version="1.3", client={"identity": person, "trust": trust}, server={"trust": trust})
    for each in contexts:
        each.post_handshake_auth = True
    conversation = scene.connect()
    exchange = scene.talk(conversation, contexts, _NAME, server=identity, client=person)
    exchange.say("client", _REQUEST)
    client, server = exchange.ends["client"], exchange.ends["server"]
    assert isinstance(server, Standard)
    server.tls.verify_client_post_handshake()
    server.step()
    exchange.flush("server")
    client.read()
    exchange.flush("client")
    server.read()
    exchange.say("server", _RESPONSE)
    exchange.close()
    alert = {"level": "warning", "description": "close_notify"}
    scene.stated[0].extra["alerts"] = [
        {**alert, "from": side, "frame": scene.frame_of(conversation.segments[side][-1].packet), "encrypted": True}
        for side in SIDES
    ]
    conversation.close()


def tls13_psk_resumption(scene: Scene) -> None:
    """TLS 1.3: a full handshake, then a second connection resumed by a pre-shared key from a ticket."""
    _resume(scene, "1.3", "psk")


def tls13_early_data(scene: Scene) -> None:
    """TLS 1.3: resumption by PSK with an HTTP request as 0-RTT data behind the ClientHello."""
    identity = scene.authority.issue(_NAME)
    contexts = scene.bundled_contexts(identity)
    from OpenSSL._util import lib

    lib.SSL_CTX_set_max_early_data(contexts[1]._context, 16384)
    conversation = scene.connect()
    first = scene.talk(conversation, contexts, _NAME, server=identity)
    _chat(first, conversation)
    before = first.ends["client"]
    assert isinstance(before, Bundled)
    conversation = scene.connect(after=3)
    session = before.tls.get_session()
    second = scene.talk(conversation, contexts, _NAME, session=session, handshake=False, resumption="psk", resumes=0)
    client, server = second.ends["client"], second.ends["server"]
    assert isinstance(client, Bundled)
    assert isinstance(server, Bundled)
    client.write_early(_REQUEST)
    second.plaintext["client"] += len(_REQUEST)
    second.flush("client")
    server.read_early()
    second.flush("server")
    second.complete["client"] = client.step()
    second.flush("client")
    server.read_early()
    second.handshake()
    if bytes(server.early) != _REQUEST:
        raise UnavailableError("the server did not take the early data")
    second.say("server", _RESPONSE)
    second.close()
    conversation.close()


def tls13_external_psk(scene: Scene) -> None:
    """TLS 1.3 authenticated by an external pre-shared key: no certificate on the wire at all."""
    contexts = scene.bundled_contexts(None)
    external_psk(contexts, b"demonstration", bytes.fromhex("00112233445566778899aabbccddeeff"))
    conversation = scene.connect()
    _chat(scene.talk(conversation, contexts, _NAME), conversation)


def tls13_hello_retry_request(scene: Scene) -> None:
    """TLS 1.3: the client offers a share for X25519, the server wants secp384r1 and says HelloRetryRequest."""
    _visit(scene, scene.authority.issue(_NAME), version="1.3", server={"curve": "secp384r1"})


def tls13_x25519mlkem768(scene: Scene) -> None:
    """TLS 1.3 with the post-quantum hybrid group X25519MLKEM768, whose ClientHello does not fit one segment."""
    identity = scene.authority.issue(_NAME)
    conversation = scene.connect()
    exchange = scene.talk(conversation, scene.bundled_contexts(identity), _NAME, server=identity)
    if exchange.facts()["group"] != "X25519MLKEM768":
        raise UnavailableError(f"this OpenSSL agrees on {exchange.facts()['group']}")
    _chat(exchange, conversation)


def alert_handshake_failure(scene: Scene) -> None:
    """TLS 1.2: client and server share no cipher suite; the server ends the handshake with handshake_failure."""
    identity = scene.authority.issue(_NAME)
    _fail(scene, scene.contexts(identity, version="1.2", client={"ciphers": "AES128-GCM-SHA256"}))


def alert_protocol_version(scene: Scene) -> None:
    """A client of TLS 1.0 meets a server that wants TLS 1.2 or newer and says protocol_version."""
    identity = scene.authority.issue(_NAME)
    _fail(scene, scene.contexts(identity, client={"version": "1.0"}))


def alert_unknown_ca(scene: Scene) -> None:
    """TLS 1.2: the client does not know the server's authority and says unknown_ca; `.ca.pem` is what the client trusts."""
    identity = scene.authority.issue(_NAME)
    stranger = type(scene.authority)(scene.authority.at, "Another Authority")
    scene.trust = stranger.root
    contexts = scene.contexts(identity, version="1.2", client={"trust": stranger.root_pem()})
    _fail(scene, contexts, server=identity)


def alert_certificate_expired(scene: Scene) -> None:
    """TLS 1.3: the server's certificate has expired; the client says so, and OpenSSL's clients say it unencrypted."""
    identity = scene.authority.issue(_NAME, days=(-97, -7))
    contexts = scene.contexts(identity, version="1.3", client={"trust": scene.authority.root_pem()})
    _fail(scene, contexts, server=identity)


def alert_certificate_required(scene: Scene) -> None:
    """TLS 1.3: the client has no certificate though the server requires one; the server says certificate_required."""
    identity = scene.authority.issue(_NAME)
    contexts = scene.contexts(identity, version="1.3", server={"trust": scene.authority.root_pem()})
    _fail(scene, contexts, server=identity)


def _visit(scene: Scene, identity: Identity, **options: Any) -> None:
    """One connection with one request and its response."""
    conversation = scene.connect()
    _chat(scene.talk(conversation, scene.contexts(identity, **options), _NAME, server=identity), conversation)


def _visit_suite(scene: Scene, identity: Identity, suite: str, alpn: tuple[str, ...] = ()) -> None:
    """The same in TLS 1.3 with the one cipher suite that the server accepts, and the last protocol offered in `alpn`."""
    client, _ = scene.contexts(identity, version="1.3", alpn=alpn)
    _, server = scene.bundled_contexts(identity)
    server.set_tls13_ciphersuites(suite.encode("ascii"))
    if alpn:
        server.set_alpn_select_callback(lambda _connection, _offered: alpn[-1].encode("ascii"))
    conversation = scene.connect()
    _chat(scene.talk(conversation, (client, server), _NAME, server=identity), conversation)


def _chat(exchange: Exchange, conversation: Conversation) -> None:
    exchange.say("client", _REQUEST)
    exchange.say("server", _RESPONSE)
    exchange.close()
    conversation.close()


def _mutual(scene: Scene, version: str) -> None:
    identity, person = scene.authority.issue(_NAME), scene.authority.issue("alice@example.com", client=True)
    trust = scene.authority.root_pem()
    contexts = scene.contexts(identity, version=version, client={"identity": person, "trust": trust}, server={"trust": trust})
    conversation = scene.connect()
    _chat(scene.talk(conversation, contexts, _NAME, server=identity, client=person), conversation)


def _resume(scene: Scene, version: str, how: str, *, tickets: bool = True) -> None:
    identity = scene.authority.issue(_NAME)
    contexts = scene.contexts(identity, version=version, tickets=tickets)
    conversation = scene.connect()
    first = scene.talk(conversation, contexts, _NAME, server=identity)
    _chat(first, conversation)
    client = first.ends["client"]
    assert isinstance(client, Standard)
    session: ssl.SSLSession | None = client.tls.session
    conversation = scene.connect(after=2.5)
    _chat(scene.talk(conversation, contexts, _NAME, session=session, resumption=how, resumes=0), conversation)


def _fail(scene: Scene, contexts: tuple[Any, Any], *, server: Identity | None = None) -> None:
    conversation = scene.connect()
    exchange = scene.talk(conversation, contexts, _NAME, server=server)
    if not exchange.failures:
        raise UnavailableError("the handshake was to fail, and did not")
    conversation.close("client" if "client" in exchange.failures else "server")


SCENES = (
    tls10_rsa,
    tls11_ecdhe_rsa,
    tls12_rsa_key_exchange,
    tls12_dhe_rsa,
    tls12_ecdhe_ecdsa,
    tls12_ed25519,
    tls12_aes_ccm,
    tls12_client_certificate,
    tls12_session_id_resumption,
    tls12_ticket_resumption,
    tls12_renegotiation,
    tls13_x25519,
    tls13_rsa,
    tls13_ed25519,
    tls13_client_certificate,
    tls13_post_handshake_authentication,
    tls13_psk_resumption,
    tls13_early_data,
    tls13_external_psk,
    tls13_hello_retry_request,
    tls13_x25519mlkem768,
    alert_handshake_failure,
    alert_protocol_version,
    alert_unknown_ca,
    alert_certificate_expired,
    alert_certificate_required,
)
