"""Decryption of whole sessions: real endpoints with their key log; the plaintext must be what they sent."""

import datetime
import ssl
import struct
import tempfile
from pathlib import Path
from typing import Any

import keyed
import pytest
from conversations import CLIENT, SERVER, Segment, Tap, contexts, handshake_types, packetise, read_sessions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sessions_by_hand import KEY, START
from talks import SIZES, Talk, client_of, converse, talk_over

from analyzer.application.conversation import Conversation
from analyzer.capture.blocks import TLS_KEY_LOG
from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.flows.flow import TCP, Flow
from analyzer.secrets.ciphers import BlockCipher
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.private_keys import read_private_keys
from analyzer.secrets.record_protection import open_tls12, open_tls13
from analyzer.store.session_record import session_record
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.read_state import PROTECTED, CandidateDecryptors, ReadState
from analyzer.tls.events import Data, DataBegan, DataMissing
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import FARTHEST_RECORD, MAX_ATTEMPTS
from analyzer.tls.session_log import SessionLog
from analyzer.tls.suites import suite

VERIFIED = {"client": "verified", "server": "verified"}


class Kept(Conversation):
    """A conversation that keeps its input, and the reasons for missing data."""

    __slots__ = ("alpn", "data", "whys")

    def __init__(self, alpn: bytes | None) -> None:
        super().__init__(None if alpn is None else alpn.decode())
        self.alpn = alpn
        self.data = [b"", b""]
        self.whys: list[tuple[int, str | None]] = []

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        self.whys.append((side, why))
        super().gap(side, length, why)

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        self.data[side] += data
        super().feed(side, data, frame, at)


def read(segments: list[Segment], *keylogs: str) -> tuple[dict[str, Any], list[bytes]]:
    """The record of the only session, and the application data of its sides."""
    tap = Tap()
    keylog = KeyLog()
    for text in keylogs:
        keylog.feed(text.encode())
    tap.engine = Engine(keylog=keylog, application=Kept)
    tap.feed(*segments)
    (session,) = tap.close()
    application = session.decryption.application
    return session_record(session, True), [b"", b""] if application is None else application.data


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        ("TLSv1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("TLSv1_2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("TLSv1_2", "ECDHE-ECDSA-AES128-SHA256"),
        ("TLSv1_2", "ECDHE-ECDSA-AES256-SHA"),
        ("TLSv1_2", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ("TLSv1_2", "ECDHE-ECDSA-AES128-CCM8"),
        ("TLSv1_3", None),
    ],
)
@pytest.mark.parametrize("mss", [7, 1460])
def test_all_that_was_sent_comes_out(version: str, ciphers: str | None, mss: int):
    talk = converse(version, ciphers)
    record, data = read(packetise(talk.flights, mss=mss), talk.keylog)
    assert tuple(data) == talk.sent
    decryption = record["decryption"]
    assert (decryption["status"], decryption["reason"], decryption["failed"]) == ("decrypted", None, 0)
    assert decryption["bytes"] == {"client": len(talk.sent[0]), "server": len(talk.sent[1])}
    assert record["authenticity"]["finished"] == VERIFIED
    assert record["established"]
    assert [exchange["response"]["body_length"] for exchange in record["http"]] == list(SIZES)
    assert [(alert["description"], alert["from"], alert["encrypted"]) for alert in record["alerts"]] == [
        ("close_notify", "client", True),
        ("close_notify", "server", True),
    ]
    assert [message["type"] for message in record["handshake"] if message["type"] == "finished"] == ["finished"] * 2
    assert all(message["message"] is not None and "problems" not in message for message in record["handshake"])


def test_what_was_hidden_in_the_handshake_shows():
    talk = converse("TLSv1_3")
    record, _ = read(packetise(talk.flights), talk.keylog)
    assert handshake_types(record)[2:7] == [
        ("encrypted_extensions", "server"),
        ("certificate", "server"),
        ("certificate_verify", "server"),
        ("finished", "server"),
        ("finished", "client"),
    ]
    assert record["certificates"]["server"][0]["subject"] == "CN=example.test"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_resumed_session(version: str):
    client, server = client_of(version), contexts.__wrapped__()[1]
    session = talk_over(client, server)[1]
    talk = talk_over(client, server, session)[0]
    record, data = read(packetise(talk.flights), talk.keylog)
    assert record["resumed"]
    assert tuple(data) == talk.sent
    assert record["authenticity"]["finished"] == VERIFIED


def test_a_hello_retry_request():
    server = contexts.__wrapped__()[1]
    server.set_ecdh_curve("secp384r1")
    talk = talk_over(client_of("TLSv1_3"), server)[0]
    record, data = read(packetise(talk.flights), talk.keylog)
    assert ("hello_retry_request", "server") in handshake_types(record)
    assert tuple(data) == talk.sent
    assert record["authenticity"]["finished"] == VERIFIED


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_wrong_secret_opens_nothing(version: str):
    talk = converse(version)
    wrong = "\n".join(f"{line.rpartition(' ')[0]} {'00' * (len(line.rpartition(' ')[2]) // 2)}" for line in lines(talk))
    record, data = read(packetise(talk.flights), wrong + "\n")
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "wrong_secret")
    assert record["decryption"]["failed"] > 0
    assert data == [b"", b""]
    assert record["http"] == []
    assert record["authenticity"]["finished"] == {"client": "unverifiable", "server": "unverifiable"}


def lines(talk: Talk | keyed.Talk) -> list[str]:
    return [line for line in talk.keylog.splitlines() if line and not line.startswith("#")]


def test_a_key_log_of_another_session_says_so():
    record, _ = read(packetise(converse("TLSv1_3").flights), converse("TLSv1_2").keylog)
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "no_secret")
    assert record["decryption"]["failed"] == 0


def test_without_the_secrets_of_the_handshake_the_data_still_comes_out():
    talk = converse("TLSv1_3")
    record, data = read(packetise(talk.flights), "\n".join(line for line in lines(talk) if "HANDSHAKE" not in line) + "\n")
    assert tuple(data) == talk.sent
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("partial", "missing_label")


def test_without_the_secret_of_one_side_the_other_side_comes_out():
    talk = converse("TLSv1_3")
    some = "\n".join(line for line in lines(talk) if not line.startswith("SERVER_TRAFFIC")) + "\n"
    record, data = read(packetise(talk.flights), some)
    assert data == [talk.sent[0], b""]
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("partial", "missing_label")


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        ("TLSv1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("TLSv1_2", "ECDHE-ECDSA-AES128-SHA256"),
        ("TLSv1_2", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ("TLSv1_3", None),
    ],
)
def test_decryption_continues_after_a_gap_in_the_data(version: str, ciphers: str | None):
    talk = converse(version, ciphers)
    segments = packetise(talk.flights)
    long = [number for number, segment in enumerate(segments) if segment.side == SERVER and len(segment.payload) == 700]
    del segments[long[-12]]  # in the middle of the last answer
    record, data = read(segments, talk.keylog)
    assert data[CLIENT] == talk.sent[CLIENT]
    assert 5000 < len(data[SERVER]) < len(talk.sent[SERVER])
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("partial", "missing_segment")
    assert record["decryption"]["bytes"]["server"] == len(data[SERVER])
    assert record["alerts"][-1]["description"] == "close_notify"


def test_the_reader_of_data_is_given_the_protocol_and_why_some_is_missing():
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights)
    long = [number for number, segment in enumerate(segments) if segment.side == SERVER and len(segment.payload) == 700]
    del segments[long[-12]]
    keylog = KeyLog()
    keylog.feed(talk.keylog.encode())
    tap = Tap()
    tap.engine = Engine(detailed=True, keylog=keylog, application=Kept)
    tap.feed(*packetise(converse("TLSv1_2").flights, ports=(50001, 443)), *segments)
    taken = {session.id: session.decryption.application for session in tap.close()}
    assert taken[0] is None
    assert taken[1].alpn is None
    assert set(taken[1].whys) == {(SERVER, "missing_segment")}
    assert {event.session for event in tap.events if isinstance(event, Data)} == {1}
    (began,) = [event for event in tap.events if isinstance(event, DataBegan)]
    assert (began.session, began.alpn, began.failed) == (1, None, 0)
    missing = [event for event in tap.events if isinstance(event, DataMissing)]
    assert {(event.session, event.role, event.reason) for event in missing} == {(1, SERVER, "missing_segment")}


def test_the_reader_of_data_is_given_the_protocol_that_was_agreed_on():
    talk = keyed.talk_of([(CLIENT, b"GET / HTTP/1.1\r\n\r\n")], alpn="http/1.1")
    keylog = KeyLog()
    keylog.feed(talk.keylog.encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog, application=Kept)
    tap.feed(*packetise(talk.flights))
    (session,) = tap.close()
    assert session.decryption.application.alpn == b"http/1.1"


def test_a_gap_over_several_records_is_stepped_over():
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights)
    long = [number for number, segment in enumerate(segments) if segment.side == SERVER and len(segment.payload) == 700]
    for number in reversed(long[-50:-4]):
        del segments[number]
    record, data = read(segments, talk.keylog)
    assert data[CLIENT] == talk.sent[CLIENT]
    assert talk.sent[SERVER].startswith(data[SERVER][:5000])
    assert record["alerts"][-1]["description"] == "close_notify"
    assert record["decryption"]["reason"] == "missing_segment"


def test_a_finished_in_a_gap_is_not_called_wrong():
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights, mss=200)
    flight = [number for number, segment in enumerate(segments) if segment.side == SERVER and segment.payload]
    del segments[flight[3]]  # in the server's first flight
    record, data = read(segments, talk.keylog)
    assert tuple(data) == talk.sent
    assert record["authenticity"]["finished"] == {"client": "unverifiable", "server": "unverifiable"}


def test_without_secrets_nothing_is_tried():
    talk = converse("TLSv1_3")
    tap = Tap()
    tap.feed(*packetise(talk.flights))
    (session,) = tap.close()
    assert session.decryption is None


def blocks_of(segments: list[Segment], keylog: bytes, before: int) -> bytes:
    """A pcapng whose secrets are before the frame with index `before`."""
    out = bytearray(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0)))
    for number, segment in enumerate(segments):
        if number == before:
            out += block(10, struct.pack("<II", TLS_KEY_LOG, len(keylog)) + keylog)
        frame = segment.frame()
        out += block(6, struct.pack("<IIIII", 0, 0, number, len(frame), len(frame)) + frame)
    return bytes(out)


def block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_secrets_inside_the_capture_need_no_option(version: str, tmp_path: Path):
    talk, other = converse(version), talk_over(client_of(version), contexts()[1])[0]
    first = packetise(talk.flights)
    both = [*first, *packetise(other.flights, ports=(50001, 443))]
    paths = []
    for name, log, before in (("one", talk.keylog, 0), ("two", other.keylog, len(first)), ("none", talk.keylog, len(first))):
        path = tmp_path / f"{name}.pcapng"
        path.write_bytes(blocks_of(both, log.encode(), before))
        paths.append(str(path))

    def statuses(*files: str) -> list[str]:
        return [session_record(s, False)["decryption"]["status"] for s in read_sessions(CaptureReader(files), Engine())]

    assert statuses(paths[0]) == ["decrypted", "none"]
    assert statuses(paths[1]) == ["none", "decrypted"]
    assert statuses(paths[2]) == ["none", "none"]
    halves = [tmp_path / "first.pcapng", tmp_path / "second.pcapng"]
    halves[0].write_bytes(blocks_of(first, other.keylog.encode(), 0))
    halves[1].write_bytes(blocks_of(both[len(first) :], talk.keylog.encode(), 0))
    assert statuses(*map(str, halves)) == ["none", "decrypted"]
    assert statuses(*map(str, reversed(halves))) == ["none", "decrypted"]


def test_an_rsa_key_opens_what_was_encrypted_to_it():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server = contexts.__wrapped__()[1]
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "rsa.pem")
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem.write_bytes(secret + certificate_of(key))
        server.load_cert_chain(pem)
    server.set_ciphers("AES128-GCM-SHA256:@SECLEVEL=0")
    talk = talk_over(client_of("TLSv1_2", "AES128-GCM-SHA256"), server)[0]
    tap = Tap()
    tap.engine = Engine(private_keys=read_private_keys(secret), application=Kept)
    tap.feed(*packetise(talk.flights))
    (session,) = tap.close()
    assert tuple(session.decryption.application.data) == talk.sent
    record = session_record(session, False)
    assert record["decryption"]["status"] == "decrypted"
    assert record["authenticity"]["finished"] == VERIFIED


def certificate_of(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.test")])
    begin = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = builder.not_valid_before(begin).not_valid_after(begin.replace(year=2040)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def contradicting(talk: Talk | keyed.Talk, label: str = "") -> str:
    """Lines that contradict the log's, to be read before it."""
    wrong = [f"{line.rpartition(' ')[0]} {'5a' * (len(line.rpartition(' ')[2]) // 2)}" for line in lines(talk)]
    return "".join(f"{line}\n" for line in wrong if line.startswith(label))


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [("TLSv1_3", None), ("TLSv1_2", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("TLSv1_2", "ECDHE-ECDSA-AES128-SHA256")],
)
def test_of_lines_that_contradict_each_other_the_right_one_is_found(version: str, ciphers: str | None):
    talk = converse(version, ciphers)
    record, data = read(packetise(talk.flights), contradicting(talk), talk.keylog)
    assert tuple(data) == talk.sent
    assert record["decryption"]["status"] == "decrypted"
    assert record["authenticity"]["finished"] == VERIFIED
    (finding,) = [one for one in record["findings"] if one["code"] == "conflicting_secrets"]
    assert ("CLIENT_RANDOM" if version == "TLSv1_2" else "SERVER_HANDSHAKE_TRAFFIC_SECRET") in finding["detail"]


def test_one_label_in_doubt_leaves_the_others():
    talk = converse("TLSv1_3")
    record, data = read(packetise(talk.flights), contradicting(talk, "SERVER_TRAFFIC"), talk.keylog)
    assert tuple(data) == talk.sent
    (finding,) = [one for one in record["findings"] if one["code"] == "conflicting_secrets"]
    assert "on SERVER_TRAFFIC_SECRET_0;" in finding["detail"]


def test_where_no_contradicting_line_is_right_nothing_opens():
    talk = converse("TLSv1_2")
    wrong = contradicting(talk)
    record, data = read(packetise(talk.flights), wrong, wrong.replace("5a5a", "a5a5"))
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "wrong_secret")
    assert data == [b"", b""]


def test_lines_that_agree_are_no_contradiction():
    talk = converse("TLSv1_3")
    record, _ = read(packetise(talk.flights), talk.keylog, talk.keylog)
    assert [one for one in record["findings"] if one["code"] == "conflicting_secrets"] == []


def test_a_suite_that_is_offered_again_and_again_is_tried_once():
    keylog = KeyLog()
    keylog.feed(f"CLIENT_EARLY_TRAFFIC_SECRET {bytes(32).hex()} {bytes(32).hex()}\n".encode())
    decryption = Decryption(KeyMaterial(keylog=keylog), Transcript(), SessionLog(0, None), Flow(TCP, KEY, 1, START, False))
    decryption.keys.client_random = bytes(32)
    decryption.offer([0x1301, 0x1303] * 15_000, None)
    assert decryption.states[CLIENT].decryptors[0].n_candidates == 2


def test_each_of_several_secrets_counts_among_the_attempts_after_a_gap():
    state = ReadState(KeyMaterial())
    chosen = suite(0x1301)
    state.decryptors = [None, CandidateDecryptors([open_tls13(chosen, bytes([number]) * 32) for number in range(8)])]
    state.epoch = PROTECTED
    state.after_gap = True
    with pytest.raises(DecryptionError):
        state.open(23, 0x0303, bytes(40))
    assert MAX_ATTEMPTS - state.attempts == 8 * FARTHEST_RECORD


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_2"])
def test_of_contradicting_secrets_the_right_one_is_found_after_a_gap(version: str):
    script = [(side, b"said" * n_words) for n_words in (100, 1000, 10_000) for side in (CLIENT, SERVER)]
    server = contexts.__wrapped__()[1]
    server.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    talk = keyed.talk_of(script, version, "ECDHE-ECDSA-AES128-SHA", server_context=server)
    said = b"".join(data for side, data in talk.flights if side == SERVER)
    finished = said.index(b"\x14\3" + (b"\1" if version == "TLSv1" else b"\3") + b"\0\1\1") + 11
    segments = packetise(talk.flights, mss=(1400, 16))
    first = next(segment.sequence for segment in segments if segment.side == SERVER and segment.payload)
    lost = next(one for one in segments if one.side == SERVER and one.payload and one.sequence - first >= finished)
    segments.remove(lost)
    record, data = read(segments, contradicting(talk), talk.keylog)
    assert data[CLIENT] == talk.sent[CLIENT]
    assert len(data[SERVER]) > 40_000
    assert record["decryption"]["reason"] == "missing_segment"


class Counting:
    """A block decryptor that counts what it decrypts."""

    n_records = 0

    def __init__(self, decryptor: Any) -> None:
        self.decryptor = decryptor

    def update(self, data: bytes) -> bytes:
        Counting.n_records += len(data) == 16384
        plaintext: bytes = self.decryptor.update(data)
        return plaintext


def test_several_secrets_decrypt_a_record_after_a_gap_but_once_each(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Counting, "n_records", 0)
    make = BlockCipher.decryptor
    monkeypatch.setattr(BlockCipher, "decryptor", lambda cipher, key, iv: Counting(make(cipher, key, iv)))
    triple_des = suite(0x000A)
    pairs = [open_tls12(triple_des, 0x0303, bytes([number]) * 48, bytes(32), bytes(32)) for number in range(4)]
    decryptor = CandidateDecryptors([server for _, server in pairs])
    with pytest.raises(DecryptionError):
        decryptor.open_after_gap(23, 0x0303, bytes(16384), FARTHEST_RECORD)
    assert Counting.n_records == 4


@pytest.mark.parametrize("answer", ["accepted", "rejected", "unknown"])
def test_early_data_waits_for_the_answer_of_the_server(answer: str) -> None:
    log = SessionLog(0, None)
    work = Decryption(KeyMaterial(Kept), Transcript(), log, Flow(TCP, KEY, 1, START, False))
    work.early = True
    work.carry(0, b"early", None, 4, 40)
    work.carry(0, b" data", None, 5, 50)
    assert work.application is None
    if answer != "unknown":
        work.settle_early(answer == "accepted", b"http/1.1")
    work.early = False
    work.carry(0, b", late", b"http/1.1", 9, 90)
    assert work.application is not None
    assert work.application.data == [b", late" if answer == "rejected" else b"early data, late", b""]
    assert work.sent == [16, 0]
    codes = [(finding.code, finding.severity, finding.frames) for finding in log.findings]
    assert codes == ([("early_data_rejected", "info", [4])] if answer == "rejected" else [])


def test_early_data_without_any_answer_is_what_the_client_asked() -> None:
    work = Decryption(KeyMaterial(Kept), Transcript(), SessionLog(0, None), Flow(TCP, KEY, 1, START, False))
    work.early = True
    work.carry(0, b"early", None, 4, 40)
    work.close(50)
    assert work.application is not None
    assert work.application.data == [b"early", b""]
