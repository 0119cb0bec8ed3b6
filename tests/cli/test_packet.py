from pathlib import Path

from .conftest import Run, client_hello, pcap, tcp


def test_every_layer_has_its_fields_and_their_bytes(run: Run, demo: Path):
    text = run("packet", demo, 22).text
    for line in (
        "0000-000d    Ethernet  14 bytes",
        "000c-000d      ether_type: IPv4 (2048)",
        "000e-0021    IPv4  20 bytes",
        "0022-0035    TCP  20 bytes",
        "0024-0025      destination_port: 443",
        "0036           type: handshake (22)",
    ):
        assert line in text
    assert "ClientHello" in text
    assert "www.shop.example" in text


def test_ranges_are_where_the_dump_has_the_bytes(run: Run, demo: Path):
    lines = run("packet", demo, 24).text.splitlines()
    (suite,) = [line for line in lines if "cipher_suite: TLS_AES_256_GCM_SHA384" in line]
    first, last = (int(part, 16) for part in suite.split()[0].split("-"))
    at = lines.index("") + 1
    dump = bytes.fromhex("".join(line[6:54] for line in lines[at : lines.index("", at) if "" in lines[at:] else None]))
    assert dump[first : last + 1] == (4866).to_bytes(2, "big")


def test_fields_with_several_forms_are_named(run: Run, captures: Path):
    path = captures / "tls12-client-certificate" / "tls12-client-certificate.pcapng"
    assert "namedcurve: x25519 (29)" in run("packet", path, 6).text


def test_a_message_that_spans_frames_is_shown_where_it_ends(run: Run, tmp_path: Path):
    hello = client_hello(b"www.example")
    path = tmp_path / "split.pcap"
    path.write_bytes(pcap(tcp(hello[:40]), tcp(hello[40:], sequence=41)))
    first, second = run("packet", path, 1).text, run("packet", path, 2).text
    assert f"{len(hello) - 40} bytes of it come in later frames" in first
    assert "ClientHello" not in first
    assert "begun in an earlier frame" in second
    assert "ClientHello" in second
    assert "byte numbers count from its beginning" in second
    assert "www.example" in second


def test_an_alert_is_read(run: Run, captures: Path):
    path = captures / "alert-handshake-failure" / "alert-handshake-failure.pcapng"
    text = run("packet", path, 6).text
    assert "level: fatal (2)" in text
    assert "description: handshake_failure (40)" in text


def test_other_protocols_are_shown_too(run: Run, demo: Path):
    assert "www.shop.example" in run("packet", demo, 7).text
    assert run("packet", demo, 1).status == 0


def test_plaintext_is_shown_in_addition_to_what_was_sent(run: Run, captures: Path):
    folder = captures / "tls13-rsa"
    path, keys = folder / "tls13-rsa.pcapng", folder / "tls13-rsa.keys"
    finished = run("packet", path, 7, "-k", keys).text
    assert "description" not in finished
    assert "verify_data: " in finished
    assert "Decrypted TLS (52 bytes): finished\n0000  14 00 00 30" in finished
    alert = run("packet", path, 17, "-k", keys).text
    assert "description: close_notify (0)" in alert
    assert "Decrypted TLS (2 bytes): alert\n0000  01 00" in alert
    assert "Decrypted" not in run("packet", path, 7).text


def test_application_data_has_a_dump_of_its_own(run: Run, captures: Path):
    folder = captures / "curl-nginx-http1"
    text = run("packet", folder / "curl-nginx-http1.pcap", 10, "-k", folder / "curl-nginx-http1.keys").text
    _, _, dump = text.partition("Decrypted TLS (")
    assert "GET /index.html" in dump.splitlines()[1]


def test_secrets_inside_the_capture_are_used_too(run: Run, demo: Path):
    assert "Decrypted TLS (" in run("packet", demo, 24).text


def test_what_quic_carried_has_its_stream(run: Run, captures: Path):
    capture = captures / "quic-http3" / "quic-http3.pcapng"
    assert (
        "Decrypted QUIC (107 bytes): application data, stream 0\n"
        in run("packet", capture, 19, "-k", capture.with_suffix(".keys")).text
    )
    assert "Decrypted TLS" not in run("packet", capture, 3, "-k", capture.with_suffix(".keys")).text
