"""Every suite that the local OpenSSL supports, from real endpoints.

With SRP the server of OpenSSL 3.0 crashes with a memory error. Those suites are tested with other endpoints, in
test_record_protection_old.py.
"""

import ssl
import subprocess

import pytest
from endpoints import SUITES_13
from plain_reader import KEY_UPDATE, hellos, read_tls12, read_tls13

from analyzer.secrets import key_schedule13
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.keylog import KeyLog

VERSIONS = {"tls1": ssl.TLSVersion.TLSv1, "tls1_1": ssl.TLSVersion.TLSv1_1, "tls1_2": ssl.TLSVersion.TLSv1_2}

# SSL_OP_NO_ENCRYPT_THEN_MAC, for which the module ssl has no name.
NO_ENCRYPT_THEN_MAC = 1 << 19


def spoken(version):
    command = ["openssl", "ciphers", "-s", f"-{version}", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":")
    return [name for name in listed if "TLS_" not in name]


def spoken_with_shared_keys(version):
    command = ["openssl", "ciphers", "-s", "-psk", f"-{version}", "PSK:@SECLEVEL=0"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":")
    return sorted(name for name in set(listed) - set(spoken(version)) if "TLS_" not in name)


SPOKEN = [(version, name) for version in VERSIONS for name in spoken(version)]
SPOKEN_WITH_SHARED_KEYS = [(version, name) for version in VERSIONS for name in spoken_with_shared_keys(version)]


def keylog(conversation):
    log = KeyLog()
    log.feed(conversation.keylog)
    log.close()
    assert log.problems == []
    return log


def check(conversation, name):
    master = keylog(conversation).master_secret(hellos(conversation.client, conversation.server).client_random)
    if "ARIA" in name:
        with pytest.raises(DecryptionError, match="unsupported_cipher: no implementation of ARIA"):
            read_tls12(conversation.client, conversation.server, master)
        return
    _, client, server = read_tls12(conversation.client, conversation.server, master)
    assert client.application == conversation.request
    assert server.application == conversation.response
    assert [1, 0] == list(client.alerts[0])


@pytest.mark.parametrize(("version", "name"), SPOKEN)
def test_suites_with_certificates_and_anonymous_ones(converse, version, name):
    check(converse(name, VERSIONS[version]), name)


@pytest.mark.parametrize(("version", "name"), SPOKEN_WITH_SHARED_KEYS)
def test_suites_with_shared_keys(server, version, name):
    options = [f"-{version}", "-cipher", f"{name}:@SECLEVEL=0"]
    check(server.talk([*options, "-psk", "00112233"], [b"hello", b"hello again" * 500]), name)


@pytest.mark.parametrize("name", SUITES_13)
def test_suites_of_tls_13(server, name):
    conversation = server.talk(["-tls1_3", "-ciphersuites", name], [b"hello", b"hello again" * 500])
    secrets = keylog(conversation).secrets(hellos(conversation.client, conversation.server).client_random)
    said, client, server_side = read_tls13(conversation.client, conversation.server, secrets)
    assert said.suite.name == name
    assert client.application == conversation.request
    assert server_side.application == conversation.response


@pytest.mark.parametrize("name", ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
def test_key_updates(server, name):
    # K makes s_client update its key and request the same from the server.
    conversation = server.talk(["-tls1_3", "-ciphersuites", name], [b"before", b"K", b"between", b"K", b"after"])
    secrets = keylog(conversation).secrets(hellos(conversation.client, conversation.server).client_random)
    said, client, server_side = read_tls13(conversation.client, conversation.server, secrets)
    assert said.suite.name == name
    updates = keylog(conversation).candidates(said.client_random, "CLIENT_TRAFFIC_SECRET_N")
    first = key_schedule13.next_traffic_secret(said.suite.prf_hash, secrets["CLIENT_TRAFFIC_SECRET_0"])
    assert updates == [first, key_schedule13.next_traffic_secret(said.suite.prf_hash, first)]
    assert client.application == conversation.request
    assert server_side.application == conversation.response
    assert [message[0] for message in client.messages].count(KEY_UPDATE) == 2
    assert [message[0] for message in server_side.messages].count(KEY_UPDATE) == 2


def test_encrypt_then_mac_was_spoken_and_mac_then_encrypt_too(converse):
    version = ssl.TLSVersion.TLSv1_2
    for options, agreed in ((0, True), (NO_ENCRYPT_THEN_MAC, False)):
        conversation = converse("AES128-SHA256", version, options)
        assert (22 in hellos(conversation.client, conversation.server).extensions) == agreed
        check(conversation, "AES128-SHA256")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["AES128-SHA", "CAMELLIA256-SHA", "ECDHE-RSA-AES256-SHA"])
def test_mac_then_encrypt_in_every_version(converse, version, name):
    check(converse(name, VERSIONS[version], NO_ENCRYPT_THEN_MAC), name)
