"""What OpenSSL no longer supports, from endpoints of tlslite-ng (SSL 3.0, RC4, 3DES, SRP) and records made by scapy."""

import socket
import threading

import pytest
from plain_reader import read_tls12, records
from scapy.layers.tls.all import TLS, TLSApplicationData
from scapy.layers.tls.crypto.suites import _tls_cipher_suites_cls
from scapy.layers.tls.session import tlsSession, writeConnState
from tlslite.api import HandshakeSettings, TLSConnection, VerifierDB, X509CertChain, parsePEMKey

from analyzer.secrets.record_protection import open_tls12
from analyzer.tls.suites import suite

VERSIONS = {"SSL 3.0": (3, 0), "TLS 1.0": (3, 1), "TLS 1.1": (3, 2), "TLS 1.2": (3, 3)}
CIPHERS = [
    ("rc4", "sha"),
    ("rc4", "md5"),
    ("3des", "sha"),
    ("aes128", "sha"),
    ("aes256", "sha"),
    ("null", "sha"),
    ("null", "md5"),
]


# Short, because these endpoints encrypt in Python.
REQUEST = b"a request"
RESPONSE = bytes(range(256)) * 2


class Tap:
    """A socket that keeps what is sent."""

    def __init__(self, wrapped):
        self.wrapped = wrapped
        self.sent = b""

    def send(self, data):
        n_bytes = self.wrapped.send(data)
        self.sent += bytes(data[:n_bytes])
        return n_bytes

    def sendall(self, data):
        self.wrapped.sendall(data)
        self.sent += bytes(data)

    def __getattr__(self, name):
        return getattr(self.wrapped, name)


def settings(version, cipher, mac, encrypt_then_mac):
    made = HandshakeSettings()
    made.minVersion = made.maxVersion = version
    made.cipherNames = [cipher]
    made.macNames = [mac]
    made.useEncryptThenMAC = encrypt_then_mac
    return made


@pytest.fixture(scope="module")
def certificate(keys):
    pem = keys.folder.joinpath("rsa.pem").read_text()
    chain = X509CertChain()
    chain.parsePemList(pem)
    return chain, parsePEMKey(pem, private=True)


@pytest.fixture(scope="module")
def passwords():
    made = VerifierDB()
    made.create()
    made[b"user"] = VerifierDB.makeVerifier(b"user", b"password", 1024)
    return made


def talk(chosen, serve, connect):
    """Let client and server do a handshake and send REQUEST and RESPONSE.

    Returns what each sent on the wire, and the master secret.
    """
    client_end, server_end = (Tap(end) for end in socket.socketpair())
    client, server = TLSConnection(client_end), TLSConnection(server_end)

    def run():
        serve(server, chosen)
        assert server.read(len(REQUEST), len(REQUEST)) == REQUEST
        server.write(RESPONSE)
        server.close()

    thread = threading.Thread(target=run)
    thread.start()
    connect(client, chosen)
    client.write(REQUEST)
    assert client.read(len(RESPONSE), len(RESPONSE)) == RESPONSE
    master = bytes(client.session.masterSecret)
    client.close()
    thread.join()
    client_end.wrapped.close()
    server_end.wrapped.close()
    return client_end.sent, server_end.sent, master


def check(client_stream, server_stream, master):
    said, client, server = read_tls12(client_stream, server_stream, master)
    assert client.application == REQUEST
    assert server.application == RESPONSE
    return said


@pytest.mark.parametrize("encrypt_then_mac", [False, True])
@pytest.mark.parametrize(("cipher", "mac"), CIPHERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_with_a_certificate(certificate, version, cipher, mac, encrypt_then_mac):
    chain, key = certificate
    conversation = talk(
        settings(VERSIONS[version], cipher, mac, encrypt_then_mac),
        lambda server, chosen: server.handshakeServer(certChain=chain, privateKey=key, settings=chosen),
        lambda client, chosen: client.handshakeClientCert(settings=chosen),
    )
    said = check(*conversation)
    major, minor = VERSIONS[version]
    assert said.version == major << 8 | minor
    spelled = {"rc4": "RC4_128", "3des": "3DES_EDE_CBC", "aes128": "AES_128_CBC", "aes256": "AES_256_CBC", "null": "NULL"}
    assert (said.suite.cipher, said.suite.hash) == (spelled[cipher], mac.upper())


@pytest.mark.parametrize("cipher", ["3des", "aes128", "aes256"])
@pytest.mark.parametrize("version", VERSIONS)
def test_with_a_password(passwords, version, cipher):
    conversation = talk(
        settings(VERSIONS[version], cipher, "sha", encrypt_then_mac=True),
        lambda server, chosen: server.handshakeServer(verifierDB=passwords, settings=chosen),
        lambda client, chosen: client.handshakeClientSRP(bytearray(b"user"), bytearray(b"password"), settings=chosen),
    )
    assert "SRP" in check(*conversation).suite.name


def scapy_records(version, number, side, randoms, master, plaintexts):
    """The records that scapy makes from application data."""
    state = tlsSession(connection_end=side)
    state.tls_version = state.advertised_tls_version = version
    state.client_random, state.server_random = randoms
    state.master_secret = master
    state.wcs = writeConnState(ciphersuite=_tls_cipher_suites_cls[number], connection_end=side, tls_version=version)
    state.wcs.derive_keys(client_random=randoms[0], server_random=randoms[1], master_secret=master)
    made = [TLS(version=version, msg=[TLSApplicationData(data=data)], tls_session=state) for data in plaintexts]
    return b"".join(record.raw_stateful() for record in made)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303])
@pytest.mark.parametrize(
    ("number", "cipher"),
    [
        (0x0003, "RC4_40"), (0x0004, "RC4_128"), (0x0006, "RC2_CBC_40"), (0x0007, "IDEA_CBC"), (0x0008, "DES40_CBC"),
        (0x0009, "DES_CBC"), (0x000A, "3DES_EDE_CBC"), (0x0041, "CAMELLIA_128_CBC"), (0x0084, "CAMELLIA_256_CBC"),
        (0x0096, "SEED_CBC"),
    ],
)  # fmt: skip
def test_ciphers_of_old(number, cipher, version, side):
    assert suite(number).cipher == cipher
    randoms, master = (bytes(range(32)), bytes(range(32, 64))), bytes(range(48))
    plaintexts = [b"first", b"", bytes(1000), b"last"]
    stream = scapy_records(version, number, side, randoms, master, plaintexts)
    decryptor = open_tls12(suite(number), version, master, *randoms)[side == "server"]
    assert [decryptor.open(*record)[1] for record in records(stream)] == plaintexts
