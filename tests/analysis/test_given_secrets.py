"""Reason, evidence and advice for each kind of secrets that can be given: key logs, private keys, pre-shared keys, several."""

import datetime
import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Tap, packetise
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from keyed import Talk, talk_of
from talks import converse

from analyzer.analysis.decryption_failure import (
    CAUSES,
    CHECK_PRIVATE_KEY,
    GIVE_KEY_LOG,
    GIVE_PRIVATE_KEY,
    NOTHING_GIVEN,
    REPAIR_KEY_LOG,
)
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.keylog_source import THE_CAPTURE
from analyzer.secrets.private_keys import PrivateKey

RSA, ECDHE = "AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"


@cache
def key(number: int) -> rsa.RSAPrivateKey:
    """The server's key, and with another number that of another server, which is shorter."""
    return rsa.generate_private_key(65537, 1024 if number == 2 else 2048)


@cache
def spoken(ciphers: str, version: str = "TLSv1_2") -> Talk:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.test")])
    begin = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key(0).public_key()).serial_number(1)
    certificate = builder.not_valid_before(begin).not_valid_after(begin.replace(year=2040)).sign(key(0), hashes.SHA256())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "server.pem")
        secret = key(0).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
        server.load_cert_chain(pem)
    script = [(CLIENT, b"GET / HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    return talk_of(script, version, ciphers if version == "TLSv1_2" else None, server_context=server)


def decryption(talk: Talk, keys: tuple[int, ...] = (), source: str = "a.log", **given: Any) -> dict[str, Any]:
    """The `decryption` of a session for which these keys and the key log `log` were given."""
    keylog = None
    if "log" in given:
        keylog = KeyLog()
        keylog.feed(given.pop("log").encode(), source)
        keylog.close()
    tap = Tap()
    tap.engine = Engine(keylog=keylog, private_keys=[PrivateKey(key(number)) for number in keys], **given)
    tap.feed(*packetise(talk.flights))
    found: dict[str, Any] = tap.records()[-1]["decryption"]
    return found


def test_nothing_given():
    found = decryption(spoken(ECDHE))
    assert (found["reason"], found["detail"], found["advice"]) == ("no_secret", NOTHING_GIVEN, GIVE_KEY_LOG)


def test_the_right_key_opens_rsa_and_whatever_else_was_given():
    for keys in ((0,), (1, 0), (2, 0)):
        found = decryption(spoken(RSA), keys)
        assert (found["status"], found["reason"], found["advice"]) == ("decrypted", None, None)
    assert decryption(spoken(RSA), (1,), log=spoken(RSA).keylog)["status"] == "decrypted"
    assert decryption(spoken(RSA), (0,), log=converse("TLSv1_3").keylog)["status"] == "decrypted"


@pytest.mark.parametrize("keys", [(1,), (2,)])
def test_the_key_of_another_server(keys: tuple[int, ...]):
    found = decryption(spoken(RSA), keys)
    assert (found["status"], found["reason"], found["advice"]) == ("none", "no_secret", GIVE_PRIVATE_KEY)
    assert found["detail"] == "the RSA key given is the key of no certificate of this session"
    assert "keys given are the keys of no certificate" in decryption(spoken(RSA), (1, 2))["detail"]


def test_the_right_key_for_an_ephemeral_exchange():
    found = decryption(spoken(ECDHE), (0,))
    assert (found["reason"], found["advice"]) == ("ephemeral_key_exchange", CAUSES["ephemeral_key_exchange"][1])
    assert found["detail"] == "the RSA key given is the server's, but in a key exchange by ECDHE it only signs"
    wrong = decryption(spoken(ECDHE), (1,))
    assert (wrong["reason"], wrong["advice"]) == ("no_secret", GIVE_KEY_LOG)
    assert wrong["detail"].endswith("of no certificate of this session, and no such key opens a key exchange by ECDHE")


def test_a_private_key_for_tls_13():
    found = decryption(spoken("", "TLSv1_3"), (0,))
    assert found["reason"] == "ephemeral_key_exchange"
    assert found["detail"] == "no RSA key opens TLS 1.3, whose key exchange is always ephemeral"


def test_a_key_log_of_another_run_and_a_key():
    found = decryption(spoken(ECDHE), (0,), log=converse("TLSv1_3").keylog)
    assert (found["reason"], found["advice"]) == ("no_secret", GIVE_KEY_LOG)
    assert "the key log has nothing for client random" in found["detail"]
    assert "it only signs" in found["detail"]


def test_the_right_key_and_a_changed_key_exchange():
    flights = list(spoken(RSA).flights)
    side, data = flights[2]
    flights[2] = side, data[:60] + bytes([data[60] ^ 1]) + data[61:]
    found = decryption(Talk(tuple(flights), (b"", b""), ""), (0,))
    assert (found["reason"], found["advice"]) == ("wrong_secret", CHECK_PRIVATE_KEY)
    assert "RSA key" in found["detail"]


def test_a_pre_shared_key_for_another_exchange():
    found = decryption(spoken(ECDHE), psks={b"me": b"key"})
    assert (found["reason"], found["detail"]) == ("no_secret", "no pre-shared key opens a key exchange by ECDHE")
    found = decryption(spoken("", "TLSv1_3"), psks={b"me": b"key"})
    assert (found["reason"], found["detail"]) == ("no_secret", "the server chose no pre-shared key")


@pytest.mark.parametrize(
    ("log", "detail"),
    [
        ("", "the key log is empty"),
        ("# words\n", "the key log has no secret, only comments or empty lines"),
        ("no\nkey\n\nlog", "the key log has no line that can be read (3 of 3 lines bad)"),
    ],
)
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_key_log_of_which_no_line_can_be_read(version: str, log: str, detail: str):
    found = decryption(spoken(ECDHE, version), log=log)
    assert (found["reason"], found["detail"], found["advice"]) == ("no_secret", detail, REPAIR_KEY_LOG)
    inside = decryption(spoken(ECDHE, version), source=THE_CAPTURE, log=log)
    assert inside["detail"] == detail.replace("the key log", "the key log in the capture")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_secrets_that_are_cut_short(version: str):
    talk = spoken(ECDHE, version)
    cut = "".join(f"{line[:-2]}\n" for line in talk.keylog.splitlines() if not line.startswith("#"))
    found = decryption(talk, log=cut)
    assert (found["reason"], found["advice"]) == ("no_secret", REPAIR_KEY_LOG)
    assert "names client random" in found["detail"]
    assert "cannot be read" in found["detail"]
    assert "another run" not in found["detail"]


def test_one_good_line_among_bad_ones():
    found = decryption(spoken(ECDHE), log=f"bad\n{converse('TLSv1_3').keylog}\nworse\n")
    assert "nothing for client random" in found["detail"]
    assert "(2 of its " in found["detail"]


def test_a_secret_of_tls_13_under_the_label_of_tls_12():
    talk = spoken(ECDHE)
    random = talk.keylog.split()[1] if not talk.keylog.startswith("#") else talk.keylog.splitlines()[1].split()[1]
    found = decryption(talk, log=f"CLIENT_RANDOM {random} {'11' * 32}\n")
    assert "CLIENT_RANDOM with a secret of 32 bytes" in found["detail"]
    other = decryption(talk, log=f"CLIENT_TRAFFIC_SECRET_0 {random} {'11' * 32}\n")
    assert (other["reason"], other["detail"]) == (
        "missing_label", "the key log has CLIENT_TRAFFIC_SECRET_0 of this session, and not CLIENT_RANDOM",
    )  # fmt: skip


@pytest.mark.parametrize("number", [0x0A0A, 0x1234, 0xCCA1, 0xCAFE])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_suite_that_nobody_knows(version: str, number: int):
    talk = spoken(ECDHE, version)
    flights = list(talk.flights)
    side, data = flights[1]
    place = 5 + 4 + 2 + 32 + 1 + data[5 + 4 + 34]
    flights[1] = side, data[:place] + number.to_bytes(2, "big") + data[place + 2 :]
    changed = Talk(tuple(flights), talk.sent, talk.keylog)
    found = decryption(changed, log=talk.keylog)
    assert found["reason"] == "unsupported_cipher"
    assert found["detail"].endswith("is no cipher suite that is known here")
    assert decryption(changed, log=converse("TLSv1_3").keylog)["reason"] == "no_secret"
