import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from frames_by_hand import write
from wire import CLIENT, SERVER, Wire, hello

from analyzer.cli.table import width

from .conftest import Run

CLIENT_HELLO = re.compile(rb"\x16\x03[\x01\x03]..\x01\x00.{2}\x03\x03", re.DOTALL)
"""The beginning of a record with a ClientHello."""


@pytest.fixture(scope="module")
def mutual(captures: Path) -> Path:
    return captures / "tls12-client-certificate" / "tls12-client-certificate.pcapng"


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_it_fits_the_window(run: Run, mutual: Path, columns: int):
    lines = run("show", mutual, 0, columns=columns).text.splitlines()
    assert max(map(width, lines)) <= columns


def test_the_ladder_has_every_step_in_order_with_its_direction(run: Run, mutual: Path):
    lines = [line for line in run("show", mutual, 0, "--terse").text.splitlines() if "▶" in line or "◀" in line]
    steps = [
        (int(line.split()[0]), "both" if "◀" in line and "▶" in line else "client" if "▶" in line else "server", line)
        for line in lines
    ]
    names = [
        ("client", "SYN"),
        ("client", "ClientHello"), ("server", "ServerHello "), ("server", "Certificate "), ("server", "ServerKeyExchange"),
        ("server", "CertificateRequest"), ("server", "ServerHelloDone"), ("client", "Certificate "),
        ("client", "ClientKeyExchange"), ("client", "CertificateVerify"), ("client", "ChangeCipherSpec"),
        ("client", "Finished"), ("server", "NewSessionTicket"), ("server", "ChangeCipherSpec"), ("server", "Finished"),
        ("both", "Application Data"), ("client", "Alert: encrypted"), ("server", "Alert: encrypted"),
        ("client", "FIN"), ("server", "FIN"),
    ]  # fmt: skip
    assert [side for _, side, _ in steps] == [side for side, _ in names]
    for (_, _, line), (_, name) in zip(steps, names, strict=True):
        assert name in line
    assert [frame for frame, _, _ in steps] == [1, 4, 6, 6, 6, 6, 6, 8, 8, 8, 8, 8, 10, 10, 10, 12, 16, 18, 20, 21]


def test_the_most_important_fields_are_below_the_arrows(run: Run, mutual: Path):
    text = run("show", mutual, 0, columns=120).text
    ladder = text[text.index("Handshake") : text.index("Certificates of")]
    for fact in (
        "server name   www.example",
        "groups        x25519, secp256r1",
        "cipher suite  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "signature     ecdsa_secp256r1_sha256",
        "CN=alice@example.com",
        "valid 2026-10-03 to 2027-01-01",
        "lifetime      7,200 s",
        "client        1 record, 101 bytes",
    ):
        assert fact in ladder


def test_each_explanation_comes_once_and_not_when_terse(run: Run, mutual: Path):
    text = " ".join(run("show", mutual, 0).text.split())
    assert text.count("From here on this side encrypts with the new keys.") == 1
    assert "From here on" not in run("show", mutual, 0, "--terse").text


def test_tls13_explains_what_is_hidden(run: Run, captures: Path):
    text = " ".join(run("show", captures / "tls13-x25519" / "tls13-x25519.pcapng", 0).text.split())
    assert "Encrypted: the rest of the server's handshake" in text
    assert "Means nothing in TLS 1.3" in text


def test_a_gap_is_shown_in_its_place(run: Run, captures: Path):
    lines = run("show", captures / "tcp-trouble" / "tcp-trouble.pcapng", 3, columns=120).text.splitlines()
    (gap,) = [at for at, line in enumerate(lines) if "gap: 1,460 bytes of the server's stream" in line]
    assert any("Finished" in line for line in lines[:gap])
    assert any("Alert: encrypted" in line for line in lines[gap:])


def test_a_fatal_alert_is_named(run: Run, captures: Path):
    path = captures / "alert-handshake-failure" / "alert-handshake-failure.pcapng"
    assert "Alert: fatal handshake_failure" in run("show", path, 0).text


def test_certificates_and_fields_follow(run: Run, mutual: Path):
    assert "\nMessages" not in run("show", mutual, 0).text
    text = run("show", mutual, 0, "--fields", columns=120).text
    assert text.index("Certificates of the server") < text.index("Certificates of the client") < text.index("\nMessages")
    for fact in (
        "67941ca14e9742dbf5ff694c090baa95f1b2bc5c6d705d3fd4315b507183f05c",
        "serial      0d88734431675766c9d2821bc185e37844b4991d",
        "public key  EC secp256r1",
        "legacy_compression_method: NULL",
        "namedcurve: x25519",
    ):
        assert fact in " ".join(text.split("\n")), fact


def test_json_is_the_record_with_messages(run: Run, mutual: Path):
    shown = json.loads(run("show", mutual, 0, "--format", "json").out)
    listed = json.loads(run("sessions", mutual, "--format", "json", "--messages").out.splitlines()[0])
    assert shown == listed


def test_every_session_of_the_demonstration_can_be_shown(run: Run, demo: Path):
    for number in range(8):
        ran = run("show", demo, number)
        assert (ran.status, ran.err) == (0, b"")
        assert f"TLS session {number} in " in ran.text


@pytest.mark.parametrize(
    ("name", "number", "way", "third", "fourth"),
    [
        ("tls12-rsa-key-exchange", 0, "RSA key exchange", "premaster secret encrypted to it", "opens the premaster secret"),
        ("tls12-dhe-rsa", 0, "ephemeral Diffie-Hellman", "key shares exchanged", "compute the same shared secret"),
        ("tls12-ecdhe-ecdsa", 0, "ephemeral Diffie-Hellman", "key shares exchanged", "compute the same shared secret"),
        ("tls13-rsa", 0, "TLS 1.3", "Key shares exchanged, certificate checked", "compute the same shared secret"),
        ("tls12-ticket-resumption", 1, "resumed session", "No certificate and no key exchange", "the earlier master secret"),
    ],
)
def test_the_six_steps_are_those_of_the_key_exchange(
    run: Run, captures: Path, name: str, number: int, way: str, third: str, fourth: str
):
    text = run("show", captures / name / f"{name}.pcapng", number, "--explain", columns=140).text
    lines = text[text.index("The handshake in six steps") :].splitlines()
    steps = [line for line in lines if line[:3].strip() in set("123456") and line[:2] == "  " and line[3:5] == "  "]
    assert lines[0] == f"The handshake in six steps  {way}"
    assert len(steps) >= 6
    assert third in steps[2]
    assert fourth in steps[3]


def test_the_premaster_secret_is_shown_as_it_was_sent(run: Run, captures: Path):
    capture = captures / "tls12-rsa-key-exchange" / "tls12-rsa-key-exchange.pcapng"
    (message,) = [
        message
        for message in json.loads(run("show", capture, 0, "--format", "json").text)["handshake"]
        if message["type"] == "client_key_exchange"
    ]
    sent = message["message"]["encrypted_pre_master_secret"]
    assert f"encrypted: {sent[:32]}… ({len(sent) // 2} bytes)" in run("show", capture, 0, "--explain").text


def test_a_step_that_is_not_in_the_capture_says_so(run: Run, captures: Path):
    capture = captures / "alert-handshake-failure" / "alert-handshake-failure.pcapng"
    assert run("show", capture, 0, "--explain").text.count("nothing of this is in the capture") >= 2


def test_a_retry_without_a_client_hello_is_explained(run: Run, captures: Path, tmp_path: Path):
    name = "tls13-hello-retry-request"
    whole = (captures / name / f"{name}.pcapng").read_bytes()
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(b"".join(block for block in blocks(whole) if not CLIENT_HELLO.search(block)))
    text = run("show", cut, 0, "--explain").text
    assert "HelloRetryRequest" in text
    assert "nothing of this is in the capture" in text


def blocks(capture: bytes) -> Iterator[bytes]:
    """The blocks of a little-endian pcapng."""
    pos = 0
    while pos < len(capture):
        length = int.from_bytes(capture[pos + 4 : pos + 8], "little")
        yield capture[pos : pos + length]
        pos += length


def test_the_findings_of_the_record_are_listed_with_their_frames(run: Run, captures: Path):
    path = str(captures / "alert-protocol-version" / "alert-protocol-version.pcapng")
    record = json.loads(run("show", path, "0", "--format", "json").out)
    found = record["findings"]
    assert found
    out = run("show", path, "0").text
    listed = out[out.index("\nFindings\n") :]
    for finding in found:
        line = next(line for line in listed.splitlines() if finding["code"] in line)
        assert line.split()[0] == finding["severity"]
    for frame in {frame for finding in found for frame in finding["frames"][:1]}:
        assert f"frame {frame}" in " ".join(listed.split())


def test_a_session_without_findings_has_no_list_of_them(run: Run, captures: Path):
    path = str(captures / "tls13-x25519" / "tls13-x25519.pcapng")
    assert json.loads(run("show", path, "0", "--format", "json").out)["findings"] == []
    assert "\nFindings" not in run("show", path, "0").text


def test_it_ends_with_what_became_of_it(run: Run, captures: Path, tmp_path: Path):
    whole = run("show", captures / "tls13-x25519" / "tls13-x25519.pcapng", 0).text
    assert "  result        established\n" in whole[whole.index("\nOutcome\n") :]
    assert "what to do" not in whole
    wire = Wire().open().say(CLIENT, hello()).again(CLIENT, 100, 3).rst(SERVER, hops=30)
    path = write(tmp_path / "reset.pcapng", wire.frames)
    text = run("show", path, 0, columns=120).text
    ladder, end = text.split("\nOutcome\n")
    for row in ("SYN (answered after 1.0 ms)", "3 segments sent again", "RST: breaks the connection off (time to live 30)"):
        assert row in ladder
    for fact in (
        "failed: Reset by somebody on the path",
        "ended by      somebody on the path",
        "time to live 30",
        "frames        4, 9",
    ):
        assert fact in end
    assert "times count from" in ladder
    chinese = run("show", path, 0, "--lang", "zh", columns=120).text
    assert "路径上的某方" in chinese[chinese.index("结果") :]


def test_what_was_said_in_the_place_of_tls_is_a_row(run: Run, tmp_path: Path):
    wire = Wire().open().say(CLIENT, hello()).say(SERVER, b"HTTP/1.1 400 Bad Request\r\n\r\n").close(SERVER)
    text = run("show", write(tmp_path / "http.pcapng", wire.frames), 0, columns=120).text
    assert 'no TLS: HTTP, "HTTP/1.1 400 Bad Request"' in text
    assert "failed: Server does not speak TLS here" in text


def test_each_alert_has_its_own_explanation(run: Run, captures: Path):
    path = captures / "alert-handshake-failure" / "alert-handshake-failure.pcapng"
    assert "The sender found nothing that both sides accept" in " ".join(run("show", path, 0).text.split())


def test_quic_is_told_in_its_own_words(run: Run, captures: Path):
    capture = captures / "quic-http3" / "quic-http3.pcapng"
    closed = run("show", capture, "0").text
    assert closed.startswith("QUIC session 0 in ")
    assert " Handshake (2 packets, 1.38 kB, to frame 3) ────" in closed
    assert closed.count("Handshake packets of QUIC, already encrypted") == 1
    assert "record" not in closed
    assert "Encrypted:" not in closed  # what follows the handshake has packets of its own
    opened = run("show", capture, "0", "-k", capture.with_suffix(".keys"), "--explain").text
    assert "decrypted: 37 packets opened" in opened
    assert "closed by the client with H3_NO_ERROR" in opened
    assert "closed by both sides" not in opened
