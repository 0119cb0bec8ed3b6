"""Real endpoints that speak a given suite, with what they put on the wire and what they logged."""

import datetime
import ssl
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

# For plain_reader, which is no test: the folder cannot be a package, since Python has a module of its name.
sys.path.append(str(Path(__file__).parent))

REQUEST = b"".join(b"request %d\n" % number for number in range(40))
RESPONSE = bytes(range(256)) * 130  # more than one record


@dataclass
class Conversation:
    """What both sides sent on the wire, what was inside, and the key log."""

    client: bytes
    server: bytes
    request: bytes
    response: bytes
    keylog: bytes


@dataclass
class Keys:
    folder: Path

    def file(self, name):
        return str(self.folder / name)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A folder with rsa.pem, ec.pem and dsa.pem (certificate and key) and dh.pem."""
    folder = tmp_path_factory.mktemp("keys")
    made = {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "dsa": dsa.generate_private_key(key_size=1024),
    }
    for name, key in made.items():
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=36500))
            .sign(key, hashes.SHA256())
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + certificate.public_bytes(serialization.Encoding.PEM)
        (folder / f"{name}.pem").write_bytes(pem)
    group = [
        "openssl",
        "genpkey",
        "-genparam",
        "-algorithm",
        "DH",
        "-pkeyopt",
        "group:ffdhe2048",
        "-out",
        str(folder / "dh.pem"),
    ]
    subprocess.run(group, check=True, capture_output=True)
    return Keys(folder)


def context(protocol, ciphers, version, options):
    made = ssl.SSLContext(protocol)
    made.set_ciphers(ciphers + ":@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = version
        made.options |= options
    return made


class Pair:
    """Client and server in memory; `wire`: what each of them sent."""

    def __init__(self, client_context, server_context, session=None):
        self.bios = [ssl.MemoryBIO() for _ in range(4)]
        client_in, client_out, server_in, server_out = self.bios
        self.client = client_context.wrap_bio(client_in, client_out, session=session)
        self.server = server_context.wrap_bio(server_in, server_out, server_side=True)
        self.wire = [b"", b""]

    def carry(self):
        client_in, client_out, server_in, server_out = self.bios
        for side, (source, target) in enumerate(((client_out, server_in), (server_out, client_in))):
            data = source.read()
            self.wire[side] += data
            target.write(data)

    def both(self, action):
        """Have both sides do it, until both have done it."""
        waiting = [self.client, self.server]
        while waiting:
            for endpoint in list(waiting):
                try:
                    action(endpoint)
                    waiting.remove(endpoint)
                except ssl.SSLWantReadError:
                    pass
                self.carry()

    def send(self, sender, receiver, data):
        received = b""
        for start in range(0, len(data), 10_000):
            sender.write(data[start : start + 10_000])
            self.carry()
        while len(received) < len(data):
            received += receiver.read(1 << 16)
        assert received == data


@pytest.fixture(scope="session")
def converse(keys, tmp_path_factory):
    """A function of an OpenSSL cipher list, a version and options of the context: a `Conversation` in memory."""
    log = tmp_path_factory.mktemp("logs") / "keys.log"

    def run(ciphers, version, options=0):
        server_context = context(ssl.PROTOCOL_TLS_SERVER, ciphers, version, options)
        for name in ("rsa", "ec", "dsa"):
            server_context.load_cert_chain(keys.file(f"{name}.pem"))
        server_context.load_dh_params(keys.file("dh.pem"))
        client_context = context(ssl.PROTOCOL_TLS_CLIENT, ciphers, version, options)
        client_context.check_hostname = False
        client_context.verify_mode = ssl.CERT_NONE
        log.write_bytes(b"")
        client_context.keylog_filename = str(log)
        pair = Pair(client_context, server_context)
        pair.both(lambda endpoint: endpoint.do_handshake())
        pair.send(pair.client, pair.server, REQUEST)
        pair.send(pair.server, pair.client, RESPONSE)
        pair.both(lambda endpoint: endpoint.unwrap())
        return Conversation(*pair.wire, REQUEST, RESPONSE, log.read_bytes())

    return run
