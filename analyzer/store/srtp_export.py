"""Collects the keys of SRTP of sessions over DTLS that were decrypted and that agreed on a profile (RFC 5764).

A handshake agrees on a profile where the server answers `use_srtp`: in its ServerHello, in DTLS 1.3 in EncryptedExtensions. A
renegotiation has keys of its own, so a session can have several records. Decryption has to have succeeded: keys that a wrong
secret gives are no keys.
"""

import base64
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from analyzer.codec.registry import registry
from analyzer.engine.run import Listener
from analyzer.packet.addresses import endpoints
from analyzer.secrets.key_schedule13 import DTLS, TLS
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.srtp_keys import LABEL, LENGTHS, SrtpKeys, block_length, export12, export13, split_keys
from analyzer.store.srtp_schema import NO_EXPORTER, NO_KEYS, NO_PROFILE, NOT_DECRYPTED, SEVERAL_EXPORTERS
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, HandshakeMessage, SessionEnded
from analyzer.tls.messages.extensions.records import UseSRTPData
from analyzer.tls.messages.numbers import CLIENT_HELLO, ENCRYPTED_EXTENSIONS, RANDOM, SERVER_HELLO
from analyzer.tls.session import Session

EXPORTER_SECRET = "EXPORTER_SECRET"  # noqa: S105 - the label of a key log
"""The label of the exporter secret of TLS 1.3 (RFC 9850 section 2.1)."""

_PROFILES = registry("srtp_protection_profiles")


class SrtpExport(Listener):
    """The keys of SRTP of the sessions that have ended.

    records: as `srtp_schema` declares them. without: chosen sessions that agreed on a profile, or of which it cannot be told,
    by the reason why they have no keys. Sessions of TCP and QUIC do not count.
    """

    def __init__(self, material: KeyMaterial, sessions: Collection[int] = ()) -> None:
        """material: the secrets that decrypted the sessions. sessions: the numbers of the chosen sessions, all if empty."""
        self.records: list[dict[str, Any]] = []
        self.without: Counter[str] = Counter()
        self._material = material
        self._sessions = frozenset(sessions)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded) and (not self._sessions or event.ended.id in self._sessions):
                self.add(event.ended)

    def add(self, session: Session) -> None:
        """Take a session that has ended."""
        if session.transport is None or session.transport.name != "dtls":
            return
        reason, records = NO_PROFILE, []
        for profile, mki, keys, why in agreements(session, self._material.keylog):
            if keys is None:
                reason = why
            else:
                records.append(_record(session, profile, mki, keys))
        if records:
            self.records += records
        elif reason != NO_PROFILE or session.decryption is None or session.decryption.records == 0:
            self.without[reason] += 1


def agreements(session: Session, keylog: KeyLog | None) -> Iterator[tuple[int, bytes, SrtpKeys | None, str]]:
    """Yield profile, MKI, and the keys of each handshake that agreed on a profile; without keys, the reason why."""
    client = server = b""
    for message in session.log.messages:
        if message.type == CLIENT_HELLO:
            client = message.raw[RANDOM]
        elif message.type == SERVER_HELLO:
            server = message.raw[RANDOM]
        answer = _answer(message)
        if answer is None or len(answer.srtp_protection_profiles) != 1:
            continue
        profile = answer.srtp_protection_profiles[0]
        block, why = (None, NO_KEYS) if profile not in LENGTHS else _block(session, keylog, profile, client, server)
        yield profile, answer.srtp_mki, None if block is None else split_keys(profile, block), why


def _answer(message: HandshakeMessage) -> UseSRTPData | None:
    """Return what a server's message says of SRTP; None if it says nothing."""
    if message.type not in (SERVER_HELLO, ENCRYPTED_EXTENSIONS) or message.body is None or message.problems:
        return None
    bodies = [extension.body for extension in message.body.extensions or ()]
    return next((body for body in bodies if isinstance(body, UseSRTPData)), None)


def _block(session: Session, keylog: KeyLog | None, profile: int, client: bytes, server: bytes) -> tuple[bytes | None, str]:
    """Return the exported key material of a handshake, by its randoms; None and the reason if it is not known."""
    work = session.decryption
    if work is None or work.records == 0 or work.keys.suite is None:
        return None, NOT_DECRYPTED
    length, keys = block_length(profile), work.keys
    if not keys.tls13:
        master = keys.named.get(client) or (work.master_secret() if keys.client_random in (b"", client) else None)
        if master is None:
            return None, NOT_DECRYPTED
        return export12(keys.version, keys.suite.prf_hash, master, client + server, LABEL, length), ""
    secrets = [] if keylog is None else keylog.by_label(client).get(EXPORTER_SECRET, [])
    if not secrets:
        return None, NO_EXPORTER
    if len(set(secrets)) > 1:  # nothing in the capture proves one of them
        return None, SEVERAL_EXPORTERS
    prefix = DTLS if session.transport is not None else TLS
    return export13(keys.suite.prf_hash, secrets[0], LABEL, length, prefix), ""


def _record(session: Session, profile: int, mki: bytes, keys: SrtpKeys) -> dict[str, Any]:
    ends = endpoints(session.flow.key)
    client, server = (
        {
            "address": address,
            "port": port,
            "master_key": key.hex(),
            "master_salt": salt.hex(),
            "inline": base64.b64encode(key + salt).decode("ascii"),
        }
        for (address, port), key, salt in zip(ends, keys[:2], keys[2:], strict=True)
    )
    return {
        "session": session.id,
        "profile": _PROFILES.name(profile),
        "profile_id": profile,
        "mki": mki.hex(),
        "client": client,
        "server": server,
    }
