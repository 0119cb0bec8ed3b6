import datetime
import ssl
import struct
import tempfile
from pathlib import Path

import pytest
from conversations import ADDRESSES, Tap, contexts, packetise, read_sessions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keyed import Talk, page, talk_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine, run
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.private_keys import read_private_keys
from analyzer.store.session_record import session_record
from analyzer.store.session_secrets import LARGEST_BLOCK, SessionSecrets
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.session import Session

SCRIPT = page("/", b"one")


def tapped(*talks: Talk, keylog: str = "", private_key: bytes = b"") -> tuple[list[Session], KeyMaterial]:
    keys = KeyLog() if keylog else None
    if keys is not None:
        keys.feed(keylog.encode())
    tap = Tap()
    tap.engine = Engine(keylog=keys, private_keys=read_private_keys(private_key) if private_key else ())
    for number, talk in enumerate(talks):
        tap.feed(*packetise(talk.flights, ports=(50000 + number, 443)))
    return sorted(tap.close(), key=lambda session: session.id), tap.engine.material


def lines_of(*talks: Talk, sessions: tuple[int, ...] = (), keylog: str = "", private_key: bytes = b"") -> list[str]:
    ended, material = tapped(*talks, keylog=keylog, private_key=private_key)
    found = SessionSecrets(material, sessions)
    for session in ended:
        found.add(session)
    return b"".join(found.blocks()).decode().splitlines()


def statuses(*talks: Talk, keylog: str) -> list[str]:
    return [session_record(session, False)["decryption"]["status"] for session in tapped(*talks, keylog=keylog)[0]]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_lines_of_the_chosen_session_and_no_others(version: str):
    talks = [talk_of(SCRIPT, version) for _ in range(3)]
    everything = "".join(talk.keylog for talk in talks)
    lines = lines_of(*talks, sessions=(1,), keylog=everything)
    assert sorted(lines) == sorted(line for line in talks[1].keylog.splitlines() if not line.startswith("#"))
    assert statuses(*talks, keylog="\n".join(lines) + "\n") == ["none", "decrypted", "none"]
    assert len(lines_of(*talks, keylog=everything)) == 3 * len(lines)


def test_older_forms_become_one_line_for_the_session():
    server = contexts.__wrapped__()[1]
    server.options |= ssl.OP_NO_TICKET
    talk = talk_of(SCRIPT, "TLSv1_2", server_context=server)
    (line,) = [line for line in talk.keylog.splitlines() if line.startswith("CLIENT_RANDOM")]
    (session,), _ = tapped(talk, keylog=talk.keylog)
    hello = next(message.raw for message in session.log.messages if message.name == "server_hello")
    session_id = hello[39 : 39 + hello[38]]
    assert lines_of(talk, keylog=f"RSA Session-ID:{session_id.hex()} Master-Key:{line.split()[2]}\n") == [line]


def test_of_contradicting_lines_the_one_that_decrypted_is_written():
    talk = talk_of(SCRIPT, "TLSv1_2")
    (line,) = [line for line in talk.keylog.splitlines() if line.startswith("CLIENT_RANDOM")]
    assert lines_of(talk, keylog=f"{line[:-96]}{'5a' * 48}\n{line}\n") == [line]


def test_for_a_private_key_only_the_master_secrets_are_written():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.test")])
    begin = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    signed = builder.not_valid_before(begin).not_valid_after(begin.replace(year=2040)).sign(key, hashes.SHA256())
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    server = contexts.__wrapped__()[1]
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "rsa.pem")
        pem.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
        server.load_cert_chain(pem)
    talks = [talk_of(SCRIPT, "TLSv1_2", "AES128-GCM-SHA256", server_context=server) for _ in range(2)]
    lines = lines_of(*talks, sessions=(0,), private_key=secret)
    (premaster,), wanted = ([line for line in talks[0].keylog.splitlines() if line.startswith(p)] for p in ("RSA", "CLIENT_"))
    assert lines == lines_of(*talks, keylog=premaster + "\n") == wanted
    assert statuses(*talks, keylog=lines[0] + "\n") == ["decrypted", "none"]


def test_sessions_without_a_secret_are_named():
    talks = [talk_of(SCRIPT), talk_of(SCRIPT)]
    ended, material = tapped(*talks, keylog=talks[1].keylog)
    found = SessionSecrets(material)
    for session in ended:
        found.add(session)
    assert (found.without, list(found.lines)) == ([0], [1])
    assert list(SessionSecrets(material).blocks()) == []


def test_a_connection_has_its_frames_under_both_keys():
    ended, material = tapped(talk_of(SCRIPT), talk_of(SCRIPT), keylog="x")
    found = SessionSecrets(material, [1])
    for session in ended:
        found.add(session)
    client, server = ADDRESSES
    there, back = client + server + struct.pack("!HH", 50001, 443), server + client + struct.pack("!HH", 443, 50001)
    assert set(found.spans) == {there, back}
    assert {tuple(spans) for spans in found.spans.values()} == {((ended[1].flow.first_frame, ended[1].flow.last_frame),)}


def test_many_lines_are_several_blocks():
    found = SessionSecrets(KeyMaterial())
    found.lines = dict.fromkeys((5, 3, 1, 2, 4), b"x" * (LARGEST_BLOCK // 4 + 1))
    blocks = list(found.blocks())
    assert [len(block) for block in blocks] == [4 * (LARGEST_BLOCK // 4 + 1), LARGEST_BLOCK // 4 + 1]


CAPTURES = Path(__file__).resolve().parents[2] / "captures"
NAMES = sorted(path.parent.name for path in CAPTURES.glob("*/*.keys") if list(path.parent.glob("*.pcap*")))


@pytest.mark.parametrize("name", NAMES)
def test_the_written_secrets_decrypt_as_much_as_the_given_ones(name: str):
    (capture,) = (CAPTURES / name).glob("*.pcap*")

    def decrypted(keys: KeyLog) -> tuple[list[tuple[object, ...]], SessionSecrets]:
        records = []
        engine = Engine(keylog=keys)
        found = SessionSecrets(engine.material)
        for session in read_sessions(CaptureReader([str(capture)]), engine):
            found.add(session)
            work = session_record(session, False)["decryption"]
            records.append((session.id, work["status"], work["records"], work["bytes"]))
        return sorted(records), found

    given, written = KeyLog(), KeyLog()
    given.feed((CAPTURES / name / f"{name}.keys").read_bytes())
    before, first = decrypted(given)
    for block in first.blocks():
        written.feed(block)
    after, second = decrypted(written)
    assert after == before
    assert second.lines == first.lines


def test_a_resumed_session_has_its_own_line():
    """It has a line even if the key log has only the session that it resumes."""
    (capture,) = (CAPTURES / "tls12-ticket-resumption").glob("*.pcapng")
    keys = KeyLog()
    lines = [line for line in capture.with_suffix(".keys").read_text().splitlines(True) if line.startswith("CLIENT_RANDOM")]
    keys.feed(lines[0].encode())
    engine = Engine(keylog=keys)
    found = SessionSecrets(engine.material, [1])
    run(CaptureReader([str(capture)]), engine, [found])
    assert found.lines == {1: lines[1].encode()}


def test_of_contradicting_tls_1_3_lines_those_that_decrypted_are_written():
    talk = talk_of(SCRIPT)
    lines = [line for line in talk.keylog.splitlines() if not line.startswith("#")]
    wrong = [f"{line.rpartition(' ')[0]} {'5a' * (len(line.rpartition(' ')[2]) // 2)}" for line in lines if "TRAFFIC" in line]
    assert sorted(lines_of(talk, keylog="\n".join([*wrong, *lines]) + "\n")) == sorted(lines)
