"""PRFs compared with OpenSSL's, and master secrets compared with those that endpoints logged."""

import hashlib
import hmac
import ssl
import subprocess

import pytest
from plain_reader import hellos, plain_messages, read_tls12

from analyzer.secrets import key_schedule
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.private_keys import read_private_keys

SECRET, SEED = bytes(range(48)), bytes(range(100, 164))


def openssl_prf(digest, secret, seed, length):
    command = ["openssl", "kdf", "-keylen", str(length), "-kdfopt", f"digest:{digest}", "-kdfopt", f"hexsecret:{secret.hex()}"]
    said = subprocess.run(
        [*command, "-kdfopt", f"hexseed:{seed.hex()}", "TLS1-PRF"], capture_output=True, text=True, check=True
    )
    return bytes.fromhex(said.stdout.replace(":", ""))


@pytest.mark.parametrize(
    ("version", "name", "digest"),
    [(0x0301, "SHA", "MD5-SHA1"), (0x0302, "MD5", "MD5-SHA1"), (0xFEFF, "SHA256", "MD5-SHA1"), (0x0303, "SHA256", "SHA256"),
     (0x0303, "SHA384", "SHA384"), (0xFEFD, "SHA256", "SHA256")],
)  # fmt: skip
@pytest.mark.parametrize("length", [1, 12, 48, 136])
@pytest.mark.parametrize("secret", [SECRET, SECRET[:47], SECRET * 5])
def test_prf(version, name, digest, length, secret):
    assert key_schedule.prf(version, name, secret, b"a label", SEED, length) == openssl_prf(
        digest, secret, b"a label" + SEED, length
    )


def test_hmac():
    for key in (b"", b"k", bytes(64), bytes(200)):
        assert key_schedule.hmac(hashlib.sha256, key, b"data") == hmac.digest(key, b"data", "sha256")
        keyed = key_schedule.Hmac(hashlib.sha256, key)
        assert [keyed.compute(data) for data in (b"data", b"", b"data")] == [
            hmac.digest(key, data, "sha256") for data in (b"data", b"", b"data")
        ]


def test_psk_premaster():
    assert key_schedule.psk_premaster(b"key").hex() == "0003" + "000000" + "0003" + b"key".hex()
    assert key_schedule.psk_premaster(b"key", b"other").hex() == "0005" + b"other".hex() + "0003" + b"key".hex()


def client_key_exchange(stream):
    return next(message for message in plain_messages(stream) if message[0] == 16)


def logged(conversation):
    log = KeyLog()
    log.feed(conversation.keylog)
    return log.master_secret(hellos(conversation.client, conversation.server).client_random)


def until_key_exchange(conversation):
    client, server = plain_messages(conversation.client), plain_messages(conversation.server)
    flight = [message for message in server if message[0] != 4]
    return b"".join([client[0], *flight, client_key_exchange(conversation.client)])


@pytest.mark.parametrize("version", ["tls1", "tls1_1", "tls1_2"])
@pytest.mark.parametrize("name", ["AES128-SHA", "AES256-GCM-SHA384", "RSA-PSK-AES128-CBC-SHA", "PSK-AES128-CBC-SHA"])
def test_master_secret_from_a_private_key_or_a_shared_key(keys, server, version, name):
    if "GCM" in name and version != "tls1_2":
        return
    conversation = server.talk([f"-{version}", "-cipher", f"{name}:@SECLEVEL=0", "-psk", "00112233"], [b"hello"])
    said = hellos(conversation.client, conversation.server)
    exchange = client_key_exchange(conversation.client)[4:]
    (key,) = read_private_keys(keys.folder.joinpath("rsa.pem").read_bytes())
    premaster = None
    if "RSA" in said.suite.name:
        if "PSK" in name:
            exchange = exchange[2 + int.from_bytes(exchange[:2], "big") :]
        premaster = key.premaster(exchange[2:], 0x0303, said.version)
    if "PSK" in name:
        premaster = key_schedule.psk_premaster(bytes.fromhex("00112233"), premaster)
    assert 23 in said.extensions
    prf_hash = said.suite.prf_hash
    master = key_schedule.extended_master_secret(said.version, prf_hash, premaster, until_key_exchange(conversation))
    assert master == logged(conversation)
    read_tls12(conversation.client, conversation.server, master)
    old = key_schedule.master_secret(said.version, prf_hash, premaster, said.client_random, said.server_random)
    seed = b"master secret" + said.client_random + said.server_random
    assert old == openssl_prf(prf_hash if version == "tls1_2" else "MD5-SHA1", premaster, seed, 48)


def test_a_forged_finished_is_another(converse):
    conversation = converse("AES128-SHA256", ssl.TLSVersion.TLSv1_2)
    master = logged(conversation)
    said, client, _ = read_tls12(conversation.client, conversation.server, master)
    transcript = until_key_exchange(conversation)
    assert key_schedule.finished(said.version, "SHA256", master, True, transcript) == client.finished[4:]
    for other in (
        key_schedule.finished(said.version, "SHA256", master, False, transcript),
        key_schedule.finished(said.version, "SHA256", master[:-1] + bytes([master[-1] ^ 1]), True, transcript),
        key_schedule.finished(said.version, "SHA256", master, True, transcript + b"\0"),
    ):
        assert other != client.finished[4:]
