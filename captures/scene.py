"""One capture in the making: its wire, its certificates, its key log, and what the endpoints stated; then the files.

A scene function speaks through a `Scene`; `save` writes `<name>/<name>.pcapng` (or `.pcap`), `.keys`, `.ca.pem`,
`expected.json` and `origin.md`, and refuses to if the endpoints and tshark disagree about what happened.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import expectations
from aioquic.quic.configuration import QuicConfiguration
from certificates import Authority, Identity, moment
from contexts import bundled_context, context
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from endpoints import Bundled, Endpoint, Exchange, Standard
from quic_endpoints import QuicTalk, configurations
from wire import SIDES, Conversation, Host, Packet, Side, Wire

from analyzer.capture.capture_writer import PcapngWriter, PcapWriter

# Documentation addresses: RFC 5737, RFC 3849, and RFC 7042 for the link layer.
CLIENT = Host("192.0.2.10", "00:00:5e:00:53:0a")
SERVER = Host("198.51.100.20", "00:00:5e:00:53:01", 57)

SECOND = 1_000_000_000

_ETHERNET = 1
_SNAP_LENGTH = 262_144


class DisagreementError(Exception):
    """The endpoints and tshark tell different stories about a capture; nothing was written."""


class UnavailableError(Exception):
    """A capture cannot be made here; the text says what is missing."""


@dataclass(slots=True)
class Stated:
    """What is known of one session from its making, to be compared with what tshark sees or added to it."""

    exchange: Exchange | QuicTalk | None
    server: Identity | None = None
    client: Identity | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Scene:
    """A capture called `name` that is kept in `folder` and starts at `at`, ns since the epoch."""

    def __init__(self, name: str, folder: Path, at: int) -> None:
        self.name, self.folder = name, folder
        self.set_time(at)
        self.wire = Wire(name)
        self.stated: list[Stated] = []
        self.suffix = "pcapng"
        self.beside_folder = False
        self.byte_order: Literal["little", "big"] = "little"
        self.microsecond = False
        self.comment = ""
        self.secrets_inside = False
        self.decode_as: tuple[str, ...] = ()
        self.recording: Path | None = None
        self.keys_for_tshark = ""
        self.hidden_from_tshark = 0
        self.tools: dict[str, str] = {}
        self.next_port = 49200
        folder.mkdir(parents=True, exist_ok=True)
        self.keys = folder / f"{name}.keys"
        self.keys.unlink(missing_ok=True)
        self.keys.touch()
        self.key_log = StringIO()

    def set_time(self, at: int) -> None:
        """Let the capture start at `at`, with an authority of that time."""
        self.at = at
        self.authority = Authority(moment(at))
        self.trust = self.authority.root

    def connect(
        self,
        *,
        client: Host = CLIENT,
        server: Host = SERVER,
        port: int = 443,
        after: float = 0,
        round_trip: float = 24,
        vlan: int | None = None,
    ) -> Conversation:
        """Open a TCP connection `after` seconds from the start; `round_trip` in milliseconds."""
        self.next_port += 2
        return Conversation(
            self.wire,
            self.at + int(after * SECOND),
            (client, self.next_port),
            (server, port),
            round_trip=int(round_trip * 1_000_000),
            vlan=vlan,
        )

    def contexts(
        self,
        identity: Identity | None,
        *,
        client: dict[str, Any] | None = None,
        server: dict[str, Any] | None = None,
        **both: Any,
    ) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """The contexts of a client and a server of Python's `ssl`; see `contexts.context`."""
        self.tools["Python's ssl"] = ssl.OPENSSL_VERSION
        return (
            context("client", self.keys, **{**both, **(client or {})}),
            context("server", None, identity=identity, **{**both, **(server or {})}),
        )

    def bundled_contexts(self, identity: Identity | None, **both: Any) -> tuple[Any, Any]:
        """The same with pyOpenSSL; see `contexts.bundled_context`."""
        try:
            from OpenSSL import SSL
        except ImportError as missing:
            raise UnavailableError("needs pyOpenSSL, for the OpenSSL inside the cryptography wheel") from missing
        self.tools["pyOpenSSL"] = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode("ascii")
        return bundled_context("client", self.keys, **both), bundled_context("server", None, identity=identity, **both)

    def talk(
        self,
        conversation: Conversation,
        contexts: tuple[Any, Any],
        server_name: str | None,
        *,
        server: Identity | None = None,
        client: Identity | None = None,
        session: Any = None,
        handshake: bool = True,
        **extra: Any,
    ) -> Exchange:
        """Join two endpoints over `conversation` and go through the handshake; `extra` goes to the expected record."""
        ends: list[Endpoint] = []
        for side, each in zip(SIDES, contexts, strict=True):
            asks: dict[str, Any] = {"server_name": server_name, "session": session} if side == "client" else {}
            ends.append(Standard(each, **asks) if isinstance(each, ssl.SSLContext) else Bundled(each, side, **asks))
        exchange = Exchange(ends[0], ends[1], conversation.send)
        self.stated.append(Stated(exchange, server, client, extra))
        if handshake:
            exchange.handshake()
        return exchange

    def talk_quic(
        self,
        identity: Identity,
        protocols: list[str],
        *,
        after: float = 0,
        shows: bool = True,
        change: Callable[[dict[Side, QuicConfiguration]], object] | None = None,
        extra: dict[str, Any] | None = None,
        **options: Any,
    ) -> QuicTalk:
        """Begin a QUIC connection `after` seconds from the start.

        shows: whether the server sends its certificates. change: changes the configurations. options: those of QuicTalk.
        """
        import aioquic

        self.tools["aioquic"] = aioquic.__version__
        both = configurations(identity, self.key_log, protocols, "www.example")
        if change is not None:
            change(both)
        self.next_port += 2
        hosts: dict[Side, Host] = {"client": CLIENT, "server": SERVER}
        talk = QuicTalk(self.wire, self.at + int(after * SECOND), hosts, self.next_port, both, **options)
        self.stated.append(Stated(talk, identity if shows else None, extra=extra or {}))
        talk.connect()
        return talk

    def frame_of(self, packet: Packet) -> int:
        """The number of the frame of `packet`, as things stand."""
        return self.wire.in_order().index(packet) + 1

    def save(self, description: str) -> None:
        """Write the files of the capture."""
        lines = list(dict.fromkeys([*self.keys.read_text("ascii").splitlines(), *self.key_log.getvalue().splitlines()]))
        nothing = "# The handshake ended before there was a secret.\n"
        self.keys.write_text("".join(line + "\n" for line in lines) or nothing, "ascii")
        capture = self.folder / f"{self.name}.{self.suffix}"
        if self.recording is not None:
            self.recording.replace(capture)
        else:
            self._write(capture, b"")
        found = self._seen_by_tshark(capture)
        if len(found) != len(self.stated):
            raise DisagreementError(f"{self.name}: tshark sees {len(found)} sessions and not {len(self.stated)}")
        for number, (record, stated) in enumerate(zip(found, self.stated, strict=True)):
            record["id"] = number
            self._agree(number, record, stated)
        place = f"../{capture.name}" if self.beside_folder else capture.name
        expected = {"capture": place, "frames": expectations.count_frames(capture), "sessions": found}
        if self.secrets_inside:
            # Only now: tshark would use them, and could not be asked what there is to see without.
            self._write(capture, self.keys.read_bytes())
        (self.folder / f"{self.name}.ca.pem").write_bytes(_pem(self.trust))
        (self.folder / "expected.json").write_text(_compact(expected), "utf-8")
        self.tools["tshark"] = expectations.tshark_version()
        command = ["openssl", "version"]
        self.tools["openssl verify"] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(" (")[0]
        tools = "".join(f"- {tool}: {version}\n" for tool, version in self.tools.items())
        made = f"Made by `python captures/make.py {self.name}` on {datetime.now(UTC):%Y-%m-%d} with"
        (self.folder / "origin.md").write_text(f"# {self.name}\n\n{description}\n\n{made}\n\n{tools}", "utf-8")

    def _seen_by_tshark(self, capture: Path) -> list[dict[str, Any]]:
        """The sessions that tshark sees; without the first frames, where it does not get over them."""
        hidden = self.hidden_from_tshark
        if not hidden:
            return expectations.sessions(capture, self._asked_with(), self.decode_as)
        rest = self.folder.parent / f"rest.{self.suffix}"
        self._write(rest, b"", hidden)
        found = expectations.sessions(rest, self._asked_with(), self.decode_as)
        for record in found:
            record["first_frame"] += hidden
            for message in record["handshake"]:
                message[2] += hidden
        return found

    def _write(self, capture: Path, secrets: bytes, hidden: int = 0) -> None:
        with capture.open("wb") as file:
            if self.suffix == "pcap":
                classic = PcapWriter(file, _ETHERNET, byte_order=self.byte_order, microsecond=self.microsecond)
                for packet in self.wire.in_order()[hidden:]:
                    classic.write_frame(packet.at, packet.data)
                return
            section = PcapngWriter(file, self.byte_order, comment=self.comment)
            section.write_interface(_ETHERNET, _SNAP_LENGTH)
            if secrets:
                section.write_secrets(secrets)
            for packet in self.wire.in_order()[hidden:]:
                section.write_frame(packet.at, packet.data)

    def _asked_with(self) -> Path:
        """The key log for tshark, which is the capture's own unless tshark would not understand that."""
        if not self.keys_for_tshark:
            return self.keys
        aside = self.folder.parent / "tshark.keys"
        aside.write_text(self.keys_for_tshark, "ascii")
        return aside

    def _agree(self, number: int, record: dict[str, Any], stated: Stated) -> None:
        late = record["when_decrypted"]
        both = {**record, **late}
        exchange = stated.exchange
        finished = {message[1] for message in record["handshake"] if message[0] == "finished"}
        established = finished == {"client", "server"}
        # In TLS 1.3 a side may fail after its Finished: only who decrypts can tell that from success.
        hidden = record["version"] == "TLS 1.3" and exchange is not None and exchange.failures
        (late if hidden else record)["established"] = established
        if exchange is not None and not exchange.failures:
            if not established:
                raise DisagreementError(f"{self.name} {number}: both ends completed the handshake, tshark lacks a Finished")
            facts = exchange.facts()
            facts["cipher_suite_id"] = _suite_ids()[facts.pop("cipher")]
            record["resumed"] = facts.pop("resumed")
            for key, value in facts.items():
                if both.get(key) != value:
                    raise DisagreementError(
                        f"{self.name} {number}: {key} is {value} at the endpoints, {both.get(key)} in tshark"
                    )
            late["decryption"] = {"bytes": dict(exchange.plaintext)}
            if isinstance(exchange, QuicTalk) and exchange.exchanges:
                late["http"] = exchange.exchanges
        sent = both.get("certificates", {"server": [], "client": []})
        for side, identity in (("server", stated.server), ("client", stated.client)):
            if identity is not None and not sent[side] and record["protocol"] == "dtls":
                # tshark does not put fragments together that overlap.
                shown = record if ["certificate", side] in [message[:2] for message in record["handshake"]] else late
                sent = shown["certificates"] = {**sent, side: identity.fingerprints()}
            if identity is not None and sent[side] != identity.fingerprints():
                raise DisagreementError(f"{self.name} {number}: the {side}'s certificates are not those that tshark sees")
        if stated.server is not None:
            at = self.at if self.recording else self.wire.in_order()[record["first_frame"] - 1].at
            asked_for = stated.extra.get("server_name", record.get("server_name"))
            chain = expectations.verdict(list(stated.server.chain), self.trust, asked_for, at)
            (record if "certificates" in record else late)["chain"] = chain
        elif not sent["server"] and record["version"] is not None:
            record["chain"] = {"verdict": "absent", "problems": []}
        record.update(stated.extra)
        late.update({key: record.pop(key) for key in ("decryption", "srtp_keying_material") if key in record})
        if "gaps" in record:
            # What lies behind a gap is not tshark's to tell: it waits for the missing bytes.
            for key in ("alerts", "when_decrypted"):
                del record[key]


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _suite_ids() -> dict[str, int]:
    everything = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    everything.set_ciphers("ALL:@SECLEVEL=0")
    return {str(cipher["name"]): int(cipher["id"]) & 0xFFFF for cipher in everything.get_ciphers()}


def _compact(expected: dict[str, Any]) -> str:
    """JSON with one line for each key of a session, and one for each handshake message."""
    lines = [f'{{"capture": {json.dumps(expected["capture"])}, "frames": {expected["frames"]}, "sessions": [']
    for record in expected["sessions"]:
        rows = []
        for key, value in record.items():
            if key == "handshake":
                messages = ",\n".join("    " + json.dumps(message) for message in value)
                rows.append(f'  "handshake": [\n{messages}]')
            else:
                rows.append(f"  {json.dumps(key)}: {json.dumps(value)}")
        lines.append(" {\n" + ",\n".join(rows) + "}" + ("" if record is expected["sessions"][-1] else ","))
    return "\n".join([*lines, "]}"]) + "\n"
