"""What a capture holds, by tshark and by `openssl verify`: witnesses that share no code with the analyzer.

tshark reads each capture twice, with and without the key log: what only the first reading shows was encrypted on the wire.
The answer is a list of session records in the form of `analyzer sessions`, with fewer keys; values that a reader can know
only after decryption stand apart under `when_decrypted`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

_HANDSHAKE = {
    0: "hello_request",
    1: "client_hello",
    2: "server_hello",
    3: "hello_verify_request",
    4: "new_session_ticket",
    5: "end_of_early_data",
    8: "encrypted_extensions",
    11: "certificate",
    12: "server_key_exchange",
    13: "certificate_request",
    14: "server_hello_done",
    15: "certificate_verify",
    16: "client_key_exchange",
    20: "finished",
    24: "key_update",
}
_ALERTS = {
    0: "close_notify",
    40: "handshake_failure",
    42: "bad_certificate",
    45: "certificate_expired",
    48: "unknown_ca",
    70: "protocol_version",
    100: "no_renegotiation",
    112: "unrecognized_name",
    116: "certificate_required",
    121: "ech_required",
}
_GROUPS = {23: "secp256r1", 24: "secp384r1", 29: "x25519", 30: "x448", 4588: "X25519MLKEM768"}
_VERSIONS = {0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}
_VERSIONS |= {0xFEFF: "DTLS 1.0", 0xFEFD: "DTLS 1.2", 0xFEFC: "DTLS 1.3"}
_VERIFY_ERRORS = {10: "expired", 20: "unknown_issuer", 62: "name_mismatch"}

# The random of a HelloRetryRequest, RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest".
_RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"


def sessions(capture: Path, keys: Path, decode_as: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The sessions of `capture` in the order of their first ClientHello, as tshark sees them with the key log `keys`."""
    seen = {stream: _Session(frames) for stream, frames in _streams(_ask(capture, keys, decode_as)).items()}
    bare = {stream: _Session(frames) for stream, frames in _streams(_ask(capture, None, decode_as)).items()}
    records = [session.record(bare[stream]) for stream, session in seen.items() if session.handshake]
    return sorted(records, key=lambda record: int(record["handshake"][0][2]))


def count_frames(capture: Path) -> int:
    """The number of frames by tshark."""
    return len(_ask(capture, None, ()))


def verdict(chain: list[x509.Certificate], root: x509.Certificate, name: str | None, at: int) -> dict[str, Any]:
    """What `openssl verify` says of `chain` (leaf first) under `root` at `at` ns since the epoch, in the form of `chain`."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {part: Path(folder, f"{part}.pem") for part in ("leaf", "untrusted", "root")}
        for part, certificates in (("leaf", chain[:1]), ("untrusted", chain[1:]), ("root", [root])):
            paths[part].write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates))
        command = ["openssl", "verify", "-attime", str(at // 1_000_000_000)]
        command += ["-CAfile", str(paths["root"])]
        if len(chain) > 1:
            command += ["-untrusted", str(paths["untrusted"])]
        if name is not None:
            command += ["-verify_hostname", name]
        done = subprocess.run([*command, str(paths["leaf"])], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return {"verdict": "valid", "problems": []}
    numbers = [
        int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("error ") and line.split()[1].isdigit()
    ]
    return {"verdict": "invalid", "problems": [_VERIFY_ERRORS[number] for number in numbers]}


def tshark_version() -> str:
    """For example `4.0.17`."""
    line = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return line.split("(Wireshark) ")[1].split()[0]


class _Session:
    """One TCP stream with TLS inside, one DTLS association or one QUIC connection, gathered from tshark's frames."""

    def __init__(self, frames: list[tuple[int, dict[str, Any]]]) -> None:
        self.frames = frames
        self.protocol = next((each for each in ("quic", "dtls") if each in frames[0][1]), "tls")
        self.first_frame = frames[0][0]
        self.handshake: list[tuple[str, str, int]] = []
        self.alerts: list[tuple[str, str, str, int]] = []
        self.certificates: dict[str, list[str]] = {"server": [], "client": []}
        self.http: list[dict[str, Any]] = []
        self.hellos: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self.pieces: dict[tuple[str, ...], set[int] | None] = {}
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int] | None = None
        for frame, layers in frames:
            self._read(frame, layers)

    def record(self, bare: _Session) -> dict[str, Any]:
        """The session record; `bare` is the same stream read without keys."""
        assert self.client is not None
        assert self.server is not None
        plain = Counter(bare.handshake)
        handshake: list[list[str | int]] = []
        for message in self.handshake:
            if plain[message] > 0:
                plain[message] -= 1
                handshake.append(list(message))
            else:
                handshake.append([*message, "encrypted"])
        alerts = [
            {"level": a[0], "description": a[1], "from": a[2], "frame": a[3], "encrypted": a not in bare.alerts}
            for a in self.alerts
        ]
        record: dict[str, Any] = {
            "protocol": self.protocol,
            "client": {"address": self.client[0], "port": self.client[1]},
            "server": {"address": self.server[0], "port": self.server[1]},
            "first_frame": self.first_frame,
            "version": None,
            **bare.facts,
            "handshake": handshake,
            "alerts": alerts,
        }
        late = {key: value for key, value in self.facts.items() if key not in bare.facts}
        if any(bare.certificates.values()):
            record["certificates"] = bare.certificates
        elif any(self.certificates.values()):
            late["certificates"] = self.certificates
        if self.http:
            late["http"] = self.http
        record["when_decrypted"] = late
        return record

    def _read(self, frame: int, layers: dict[str, Any]) -> None:
        network = layers.get("ip") or layers.get("ipv6")
        kind = "ip" if "ip" in layers else "ipv6"
        over = "tcp" if self.protocol == "tls" else "udp"
        ports = _first(layers[over])
        source = (str(_first(network)[f"{kind}.src"]), int(ports[f"{over}.srcport"]))
        destination = (str(_first(network)[f"{kind}.dst"]), int(ports[f"{over}.dstport"]))
        if self.protocol == "quic":
            for message in _quic_messages(layers["quic"]):
                if message["tls.handshake.type"] == "1" and self.client is None:
                    self.client, self.server = source, destination
                self._message(frame, "client" if source[1] != (self.server or destination)[1] else "server", message)
            return
        if self.protocol not in layers:
            return
        for layer in _many(_as_tls(layers[self.protocol])):
            for record in _many(layer.get("tls.record", [])) if isinstance(layer, dict) else []:
                for message in _many(record.get("tls.handshake", [])):
                    if isinstance(message, dict) and "tls.handshake.type" in message:
                        if message["tls.handshake.type"] == "1" and self.client is None:
                            self.client, self.server = source, destination
                        side = "client" if source == self.client else "server"
                        if self.protocol == "tls" or self._completes(side, record, message):
                            self._message(frame, side, message)
                        else:
                            self._learn(message, side)
                for alert in _many(record.get("tls.alert_message", [])):
                    if isinstance(alert, dict) and "tls.alert_message.desc" in alert:
                        level = "fatal" if alert["tls.alert_message.level"] == "2" else "warning"
                        side = "client" if source == self.client else "server"
                        self.alerts.append((level, _ALERTS[int(alert["tls.alert_message.desc"])], side, frame))
        self._application(layers)

    def _completes(self, side: str, record: dict[str, Any], message: dict[str, Any]) -> bool:
        """Whether this fragment of DTLS is the first that makes its message whole."""
        names = ("tls.handshake.message_seq", "tls.handshake.type", "tls.handshake.length")
        epoch = str(next((record[name] for name in ("tls.record.epoch", "tls.epoch") if name in record), ""))
        key = (side, epoch, *(message[name] for name in names))
        seen = self.pieces.setdefault(key, set())
        if seen is None:
            return False
        start = int(message["tls.handshake.fragment_offset"])
        seen |= set(range(start, start + int(message["tls.handshake.fragment_length"])))
        if len(seen) < int(message["tls.handshake.length"]):
            return False
        self.pieces[key] = None
        return True

    def _message(self, frame: int, side: str, message: dict[str, Any]) -> None:
        self.handshake.append((_kind(message), side, frame))
        self._learn(message, side)

    def _learn(self, message: dict[str, Any], side: str) -> None:
        kind = _kind(message)
        if kind == "client_hello":
            for name in _find(message, "tls.handshake.extensions_server_name"):
                self.facts["server_name"] = name
        elif kind == "server_hello" and "tls.handshake.version" in message:
            versions = list(_find(message, "tls.handshake.extensions.supported_version"))
            number = int(versions[0] if versions else message["tls.handshake.version"], 16)
            self.facts["version"] = _VERSIONS[number]
            self.facts["cipher_suite_id"] = int(message["tls.handshake.ciphersuite"], 16)
            for group in _find(message, "tls.handshake.extensions_key_share_group"):
                self.facts["group"] = _GROUPS[int(group)]
        elif kind == "server_key_exchange":
            for group in _find(message, "tls.handshake.server_named_curve"):
                self.facts["group"] = _GROUPS[int(group, 16)]
        elif kind == "certificate" and (found := list(_find(message, "tls.handshake.certificate"))):
            ders = [bytes.fromhex(text.replace(":", "")) for text in found]
            self.certificates[side] = [hashlib.sha256(der).hexdigest() for der in ders]
        if kind in ("server_hello", "encrypted_extensions"):
            for protocol in _find(message, "tls.handshake.extensions_alpn_str"):
                self.facts["alpn"] = protocol

    def _application(self, layers: dict[str, Any]) -> None:
        for layer in _many(layers.get("http", [])):
            for method in _find(layer, "http.request.method"):
                path, host = next(_find(layer, "http.request.uri")), next(_find(layer, "http.host"), None)
                self.http.append({"request": {"method": method, "authority": host, "path": path}, "response": None})
            for status in _find(layer, "http.response.code"):
                next(h for h in self.http if h["response"] is None)["response"] = {"status": int(status)}
        for layer in _many(layers.get("http2", [])):
            for stream in _many(layer.get("http2.stream", [])):
                number = next(_find(stream, "http2.streamid"), None)
                for method in _find(stream, "http2.headers.method"):
                    path, host = next(_find(stream, "http2.headers.path")), next(_find(stream, "http2.headers.authority"))
                    request = {"method": method, "authority": host, "path": path}
                    self.http.append({"_stream": number, "request": request, "response": None})
                for status in _find(stream, "http2.headers.status"):
                    of = next(h for h in self.http if h.get("_stream") == number)
                    of["response"] = {"status": int(status)}
                    del of["_stream"]


def _streams(packets: list[dict[str, Any]]) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    streams: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for frame, packet in enumerate(packets, 1):
        layers = packet["_source"]["layers"]
        name = None
        if "tcp" in layers:
            name = f"tcp {_first(layers['tcp'])['tcp.stream']}"
        elif "dtls" in layers:
            name = f"udp {_first(layers['udp'])['udp.stream']}"
        elif "quic" in layers:
            name = next((f"quic {number}" for number in _find(layers["quic"], "quic.connection.number")), None)
        if name is not None:
            streams.setdefault(name, []).append((frame, layers))
    return streams


def _kind(message: dict[str, Any]) -> str:
    kind = _HANDSHAKE[int(message["tls.handshake.type"])]
    retry = kind == "server_hello" and message.get("tls.handshake.random", "").replace(":", "") == _RETRY
    return "hello_retry_request" if retry else kind


def _as_tls(tree: Any) -> Any:
    """The tree of DTLS with the names that the same fields have in TLS."""
    if isinstance(tree, list):
        return [_as_tls(item) for item in tree]
    if isinstance(tree, dict):
        return {("tls" + key[4:] if key.startswith("dtls.") else key): _as_tls(value) for key, value in tree.items()}
    return tree


def _quic_messages(packets: Any) -> Iterator[dict[str, Any]]:
    """Every handshake message in the CRYPTO frames of the packets of one datagram, in order."""
    for packet in _many(packets):
        for frame in _many(packet.get("quic.frame", [])) if isinstance(packet, dict) else []:
            for tls in _many(frame.get("tls", [])) if isinstance(frame, dict) else []:
                for message in _many(tls.get("tls.handshake", [])) if isinstance(tls, dict) else []:
                    if isinstance(message, dict) and "tls.handshake.type" in message:
                        yield message


def _ask(capture: Path, keys: Path | None, decode_as: tuple[str, ...]) -> list[dict[str, Any]]:
    command = ["tshark", "-n", "-r", str(capture), "-2", "-T", "json", "--no-duplicate-keys"]
    command += ["-o", "tcp.reassemble_out_of_order:TRUE", "-o", "tls.desegment_ssl_records:TRUE"]
    command += ["-o", f"tls.keylog_file:{'' if keys is None else keys}"]
    for rule in decode_as:
        command += ["-d", rule]
    done = subprocess.run(command, capture_output=True, check=True)
    answer: list[dict[str, Any]] = json.loads(done.stdout.decode("utf-8", "replace"))
    return answer


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return _many(value)[0]


def _find(tree: Any, name: str) -> Iterator[Any]:
    """Every value of `name` in the tree, in order."""
    if isinstance(tree, list):
        for item in tree:
            yield from _find(item, name)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key == name:
                yield from (item for item in _many(value) if not isinstance(item, dict))
            else:
                yield from _find(value, name)
