"""Every suite that the local OpenSSL speaks with certificates or anonymously, from real endpoints."""

import ssl
import subprocess

import pytest
from plain_reader import read_tls12

from analyzer.secrets.refused import Refused

VERSIONS = {"tls1": ssl.TLSVersion.TLSv1, "tls1_1": ssl.TLSVersion.TLSv1_1, "tls1_2": ssl.TLSVersion.TLSv1_2}


def spoken(version):
    command = ["openssl", "ciphers", "-s", f"-{version}", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(":")
    return [name for name in listed if "TLS_" not in name]


SPOKEN = [(version, name) for version in VERSIONS for name in spoken(version)]


def master_secret(keylog):
    (line,) = (line for line in keylog.split(b"\n") if line.startswith(b"CLIENT_RANDOM"))
    return bytes.fromhex(line.split()[2].decode())


@pytest.mark.parametrize(("version", "name"), SPOKEN)
def test_everything_opens(converse, version, name):
    conversation = converse(name, VERSIONS[version])
    if "ARIA" in name:
        with pytest.raises(Refused, match="unsupported_cipher: no implementation of ARIA"):
            read_tls12(conversation.client, conversation.server, master_secret(conversation.keylog))
        return
    _, client, server = read_tls12(conversation.client, conversation.server, master_secret(conversation.keylog))
    assert client.application == conversation.request
    assert server.application == conversation.response
    assert client.alerts == server.alerts == [b"\1\0"]
