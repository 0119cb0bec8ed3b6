"""Real endpoints for a given suite, with the bytes that they sent and the secrets that they logged."""

import contextlib
import datetime
import socket
import ssl
import subprocess
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

REQUEST = b"".join(b"request %d\n" % number for number in range(40))
RESPONSE = bytes(range(256)) * 130  # more than one record


@dataclass
class Conversation:
    """What both sides sent on the wire, its plaintext, and the key log."""

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


def make_keys(folder):
    """Make rsa.pem, ec.pem and dsa.pem (certificate and key) and dh.pem in the folder."""
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
        """Run the action on both sides until both have completed it."""
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


def converse(keys, log, ciphers, version, options=0):
    """Return a conversation in memory, for an OpenSSL cipher list, a version and options of the context."""
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


class Server:
    """`openssl s_server`, which sends lines back reversed, and `openssl s_client`, with a tap between them."""

    def __init__(self, keys, folder):
        self.folder = folder
        self.tap = socket.create_server(("127.0.0.1", 0))
        self.port = free_port()
        command = [
            "openssl",
            "s_server",
            "-accept",
            f"127.0.0.1:{self.port}",
            "-rev",
            "-cipher",
            "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
        ]
        command += ["-cert", keys.file("rsa.pem"), "-dcert", keys.file("dsa.pem"), "-key", keys.file("rsa.pem"), "-dkey"]
        command += [keys.file("dsa.pem"), "-psk", "00112233", "-min_protocol", "TLSv1"]
        command += ["-ciphersuites", ":".join(SUITES_13)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        assert any(line.startswith(b"ACCEPT") for line in self.process.stdout)
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def close(self):
        self.tap.close()
        self.process.kill()
        self.process.wait()

    def talk(self, options, lines):
        """Send lines one by one, and wait for each answer; `K` is the command to update keys."""
        log = self.folder / "keys.log"
        log.write_bytes(b"")
        command = [
            "openssl",
            "s_client",
            "-connect",
            f"127.0.0.1:{self.tap.getsockname()[1]}",
            "-keylogfile",
            str(log),
            *options,
        ]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        ) as client:
            self.tap.settimeout(20)
            ends = self.tap.accept()[0], socket.create_connection(("127.0.0.1", self.port))
            wire = [bytearray(), bytearray()]
            taps = [threading.Thread(target=pass_on, args=(ends[i], ends[1 - i], wire[i])) for i in (0, 1)]
            for tap in taps:
                tap.start()
            for line in lines:
                client.stdin.write(line + b"\n")
                said, answer = b"", b"KEYUPDATE" if line == b"K" else line[::-1]
                while answer not in said:
                    data = client.stdout.read(1 << 16)
                    assert data, said
                    said += data
            client.stdin.close()
            for tap in taps:
                tap.join()
            for end in ends:
                end.close()
        sent = [line for line in lines if line != b"K"]
        request, response = (b"".join(change(line) + b"\n" for line in sent) for change in (bytes, lambda line: line[::-1]))
        return Conversation(bytes(wire[0]), bytes(wire[1]), request, response, log.read_bytes())


SUITES_13 = [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
]  # fmt: skip


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def pass_on(source, target, record):
    while data := source.recv(1 << 16):
        record += data
        target.sendall(data)
    with contextlib.suppress(OSError):  # already closed: both sides closed at the same time
        target.shutdown(socket.SHUT_WR)
