"""The scenes of DTLS: OpenSSL's and GnuTLS's programs behind a UDP relay, and wolfSSL for DTLS 1.3 and connection IDs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as File
from subprocess import Popen
from typing import Any

from certificates import Identity
from datagram_peers import (
    Fate,
    Judge,
    Path,
    deliver,
    gnutls_client,
    gnutls_server,
    keep,
    openssl_client,
    openssl_server,
    say,
)
from programs import ProgramError, find_program
from scene import CLIENT, SERVER, Scene, Stated, UnavailableError
from wire import Side, udp
from wolfssl_endpoints import Manner, WolfTalk

_NAME = "www.example"
_PORT = 4433
_ASKS, _ANSWERS = "What is the time?", "It is nine o'clock."
_PSK = ("Client_identity", bytes.fromhex("0123456789abcdef0123456789abcdef"))


def dtls10_rsa(scene: Scene) -> None:
    """DTLS 1.0 (RFC 4347) between OpenSSL's programs, with an RSA certificate."""
    weak = ("-dtls1", "-cipher", "ALL@SECLEVEL=0")
    _openssl(scene, scene.authority.issue(_NAME, key="rsa"), weak, (*weak, "-servername", _NAME))


def dtls12_cookie(scene: Scene) -> None:
    """DTLS 1.2 between OpenSSL's programs: the server asks for the cookie of its HelloVerifyRequest (RFC 6347, 4.2.1)."""
    _openssl(scene, scene.authority.issue(_NAME), ("-dtls1_2", "-listen"), _named())


def dtls12_fragments(scene: Scene) -> None:
    """DTLS 1.2 of OpenSSL's programs in datagrams of at most 300 bytes, on a path that loses, repeats and reorders."""

    def judge(side: Side, number: int) -> Fate:
        fates: dict[tuple[Side, int], Fate] = {
            ("server", 2): "late", ("server", 3): "lose", ("server", 5): "twice", ("client", 2): "lose", ("client", 3): "twice",
        }  # fmt: skip
        return fates.get((side, number), "deliver")

    small = ("-mtu", "300")
    _openssl(scene, scene.authority.issue(_NAME), ("-dtls1_2", "-listen", *small), (*_named(), *small), judge, wait=3.5)


def dtls12_psk(scene: Scene) -> None:
    """DTLS 1.2 with a pre-shared key (RFC 4279) and no certificate, between OpenSSL's programs."""
    psk = ("-psk", _PSK[1].hex(), "-cipher", "PSK-AES128-GCM-SHA256", "-psk_identity", _PSK[0])
    _openssl(scene, None, ("-dtls1_2", *psk), (*_named(), *psk))


def dtls12_rsa_key_exchange(scene: Scene) -> None:
    """DTLS 1.2 whose secrets follow from the RSA key that is kept beside the capture."""
    identity = scene.authority.issue(_NAME, key="rsa")
    _openssl(scene, identity, ("-dtls1_2",), (*_named(), "-cipher", "AES128-SHA256"))
    (scene.folder / f"{scene.name}.key.pem").write_bytes(identity.key_pem())


def dtls12_client_certificate(scene: Scene) -> None:
    """DTLS 1.2 between OpenSSL's programs: the server asks the client for a certificate, and gets one."""
    client = scene.authority.issue("client.example", client=True)
    key, leaf, rest = keep(scene.folder.parent / "aside", "client", client)
    mine = ("-key", str(key), "-cert", str(leaf), "-cert_chain", str(rest))
    _openssl(scene, scene.authority.issue(_NAME), ("-dtls1_2", "-Verify", "3"), (*_named(), *mine), sends=client)


def dtls12_renegotiation(scene: Scene) -> None:
    """DTLS 1.2 between OpenSSL's programs: the client negotiates anew inside the association (RFC 5746)."""
    _openssl(scene, scene.authority.issue(_NAME), ("-dtls1_2", "-client_renegotiation"), _named(), typed=(("client", "R"),))


def dtls12_resumption(scene: Scene) -> None:
    """DTLS 1.2 between OpenSSL's programs: a second association resumes the first by its ticket (RFC 5077)."""
    kept = str(scene.folder.parent / "session.pem")
    server = scene.authority.issue(_NAME)
    with _programs(scene), openssl_server(scene.folder.parent / "aside", server, "-dtls1_2") as (port, answers):
        path = Path(port)
        for options in (("-sess_out", kept), ("-sess_in", kept)):
            with openssl_client(path.port, *_named(), "-keylogfile", str(scene.keys), *options) as asks:
                _talk(asks, answers)
                say(asks, "Q")
        _put(scene, path)
    _state(scene, server)
    _state(scene, None, resumed=True)


def dtls12_srtp(scene: Scene) -> None:
    """DTLS 1.2 between OpenSSL's programs that agree on a profile of SRTP (RFC 5764)."""
    srtp = ("-use_srtp", "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM")
    export = ("-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "60")
    printed = scene.folder.parent / "printed.txt"
    _openssl(scene, scene.authority.issue(_NAME), ("-dtls1_2", *srtp), (*_named(), *srtp, *export), prints=printed)
    text = printed.read_text("utf-8", "replace")
    scene.stated[0].extra["srtp_keying_material"] = text.split("Keying material: ")[1].split()[0].lower()


def dtls12_gnutls(scene: Scene) -> None:
    """DTLS 1.2 between GnuTLS's programs, with a cookie, and the version 1.0 of its hello's records."""
    _gnutls(scene, deliver)


def dtls12_gnutls_loss(scene: Scene) -> None:
    """DTLS 1.2 between GnuTLS's programs with datagrams of 400 bytes, on a path that loses, repeats and reorders."""
    fates: dict[tuple[Side, int], Fate] = {
        ("server", 2): "late",
        ("server", 4): "lose",
        ("client", 2): "lose",
        ("client", 3): "twice",
    }
    _gnutls(scene, lambda side, number: fates.get((side, number), "deliver"), "--mtu", "400", wait=4.0)


def dtls13_cookie(scene: Scene) -> None:
    """DTLS 1.3 (RFC 9147) of wolfSSL: the cookie of a HelloRetryRequest, then records with encrypted numbers, and ACKs."""
    _wolf(scene, Manner())


def dtls13_loss(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL with datagrams of 300 bytes, on a path that loses, repeats and reorders; ACKs save what arrived."""
    fates: dict[tuple[Side, int], Fate] = {
        ("server", 1): "late", ("server", 4): "lose", ("server", 5): "twice", ("client", 3): "lose", ("client", 5): "twice",
    }  # fmt: skip
    _wolf(scene, Manner(mtu=300), judge=lambda side, number: fates.get((side, number), "deliver"))


def dtls13_connection_ids(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL with connection IDs of both sides, each of another length."""
    _wolf(scene, Manner(connection_ids=(b"\x0c", b"\x5e\x4e\x5e\x4e\x5e\x4e")))


def dtls13_key_update(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL: both sides update their keys, and the epochs go on (RFC 9147, 8)."""
    talk = _wolf(scene, Manner(), close=False)
    for side in ("client", "server"):
        talk.update_keys(side)
        _exchange(talk)
    talk.close()


def dtls13_psk(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL with an external pre-shared key."""
    _wolf(scene, Manner(psk=_PSK, suites="TLS13-AES128-GCM-SHA256"))


def dtls13_client_certificate(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL: the server asks the client for a certificate, and gets one."""
    _wolf(scene, Manner(client=scene.authority.issue("client.example", client=True)))


def dtls13_resumption(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL: a second association resumes the first by its ticket."""
    first = _wolf(scene, Manner())
    _wolf(scene, Manner(), resumed=first, after=3, resumption="psk", resumes=0)


def dtls13_srtp(scene: Scene) -> None:
    """DTLS 1.3 of wolfSSL that agrees on a profile of SRTP (RFC 5764)."""
    talk = _wolf(scene, Manner(srtp="SRTP_AES128_CM_SHA1_80"), close=False)
    scene.stated[0].extra["srtp_keying_material"] = talk.srtp_keys().hex()
    talk.close()


def dtls12_connection_ids(scene: Scene) -> None:
    """DTLS 1.2 of wolfSSL with connection IDs (RFC 9146): every protected record is of content type 25."""
    _wolf(scene, Manner(version="1.2", connection_ids=(b"\x0c", b"\x5e\x4e\x5e\x4e\x5e\x4e")))


def _named() -> tuple[str, ...]:
    return ("-dtls1_2", "-servername", _NAME)


def _openssl(
    scene: Scene,
    identity: Identity | None,
    server: tuple[str, ...],
    client: tuple[str, ...],
    judge: Judge = deliver,
    *,
    typed: tuple[tuple[Side, str], ...] = (),
    wait: float = 0.8,
    prints: File | None = None,
    **stated: Any,
) -> None:
    with _programs(scene), openssl_server(scene.folder.parent / "aside", identity, *server) as (port, answers):
        path = Path(port, judge)
        with openssl_client(path.port, *client, "-keylogfile", str(scene.keys), prints=prints) as asks:
            _talk(asks, answers, wait)
            for side, line in typed:
                say(asks if side == "client" else answers, line)
                _talk(asks, answers)
            say(asks, "Q")
        _put(scene, path)
    _state(scene, identity, times=2 if typed else 1, **stated)


def _gnutls(scene: Scene, judge: Judge, *options: str, wait: float = 0.8) -> None:
    identity = scene.authority.issue(_NAME)
    with _programs(scene), gnutls_server(scene.folder.parent / "aside", identity, *options) as (port, _):
        path = Path(port, judge)
        more = ("--sni-hostname", _NAME, *options)
        with gnutls_client(path.port, scene.keys, *more) as asks:
            time.sleep(wait)
            say(asks, _ASKS)
            assert asks.stdin is not None
            asks.stdin.close()
            time.sleep(0.4)
        _put(scene, path)
    sent = len(_ASKS) + 1
    scene.stated.append(
        Stated(None, identity, extra={"resumed": False, "decryption": {"bytes": {"client": sent, "server": sent}}})
    )


def _talk(asks: Popen[bytes], answers: Popen[bytes], wait: float = 0.8) -> None:
    time.sleep(wait)
    say(asks, _ASKS)
    say(answers, _ANSWERS)


def _put(scene: Scene, path: Path) -> None:
    """Put what was said on the scene's wire, each client on a port of its own."""
    said = path.finish()
    if not said:
        raise UnavailableError("the programs said nothing")
    first = said[0][0]
    base = scene.next_port + 2
    numbers = {"client": 100, "server": 200}
    for at, side, client, data in said:
        scene.next_port = max(scene.next_port, base + 2 * client)
        numbers[side] += 1
        hosts = (CLIENT, SERVER) if side == "client" else (SERVER, CLIENT)
        ports = (base + 2 * client, _PORT) if side == "client" else (_PORT, base + 2 * client)
        scene.wire.put(scene.at + int((at - first) * 1e9), udp(*hosts, ports, data, numbers[side]))


def _state(
    scene: Scene, identity: Identity | None, *, resumed: bool = False, times: int = 1, sends: Identity | None = None
) -> None:
    sent = {"client": times * (len(_ASKS) + 1), "server": times * (len(_ANSWERS) + 1)}
    scene.stated.append(Stated(None, identity, sends, {"resumed": resumed, "decryption": {"bytes": sent}}))


@contextmanager
def _programs(scene: Scene) -> Iterator[None]:
    try:
        for name in ("openssl", "gnutls-cli"):
            if ("gnutls" in name) == ("gnutls" in scene.name):
                asked = [find_program(name), "version" if name == "openssl" else "--version"]
                scene.tools[name] = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()[0]
        yield
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason


def _wolf(
    scene: Scene,
    manner: Manner,
    judge: Judge = deliver,
    *,
    after: int = 0,
    close: bool = True,
    resumed: WolfTalk | None = None,
    **extra: Any,
) -> WolfTalk:
    identity = None if manner.psk is not None else scene.authority.issue(_NAME)
    scene.next_port += 2
    try:
        talk = WolfTalk(
            scene.wire,
            scene.at + after * 1_000_000_000,
            {"client": CLIENT, "server": SERVER},
            {"client": scene.next_port, "server": _PORT},
            manner,
            identity,
            lambda line: scene.key_log.write(line + "\n"),
            judge,
            resumed,
        )
        talk.handshake()
        _exchange(talk)
        if close:
            talk.close()
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason
    scene.tools["wolfSSL"] = talk.library.wolfSSL_lib_version().decode("ascii")
    facts = {"resumed": resumed is not None or manner.psk is not None, "decryption": {"bytes": talk.plaintext}, **extra}
    scene.stated.append(Stated(None, None if resumed else identity, manner.client, facts))
    return talk


def _exchange(talk: WolfTalk) -> None:
    talk.say("client", _ASKS.encode("ascii"))
    talk.say("server", _ANSWERS.encode("ascii"))


SCENES = (
    dtls10_rsa,
    dtls12_cookie,
    dtls12_fragments,
    dtls12_psk,
    dtls12_rsa_key_exchange,
    dtls12_client_certificate,
    dtls12_renegotiation,
    dtls12_resumption,
    dtls12_srtp,
    dtls12_gnutls,
    dtls12_gnutls_loss,
    dtls12_connection_ids,
    dtls13_cookie,
    dtls13_loss,
    dtls13_connection_ids,
    dtls13_key_update,
    dtls13_psk,
    dtls13_client_certificate,
    dtls13_resumption,
    dtls13_srtp,
)
