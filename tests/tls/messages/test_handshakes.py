"""Messages from real captures: read without a problem, written again to the same bytes, with the same fields as in tshark."""

import pytest

from analyzer.codec import runner
from analyzer.codec.field_tables import Extension, Message
from analyzer.tls.messages import table_for
from analyzer.tls.suites import suite

CAPTURES = [
    "zeek/tls/ssl.v3.pcap",
    "zeek/tls/tls1_1.pcap",
    "zeek/tls/tls1.2.pcap",
    "zeek/tls/dhe.pcap",
    "zeek/tls/ecdhe.pcap",
    "zeek/tls/client-certificate.pcap",
    "zeek/tls/certificate-with-sct.pcap",
    "zeek/tls/ocsp-stapling.pcap",
    "zeek/tls/signed_certificate_timestamp.pcap",
    "zeek/tls/google-duplicate.pcap",
    "zeek/tls/hrr.pcap",
    "zeek/tls/tls13-ech.pcap",
    "zeek/tls/chrome-1250-tls-x25519-kyber.pcap",
    "zeek/tls/chrome-63.0.3211.0-canary-tls_experiment.pcap",
    "zeek/tls/tls13_psk_succesfull.pcap",
    "zeek/tls/tls13draft16-ff52.a01.pcap",
    "zeek/tls/tls-13draft19-early-data.pcap",
    "zeek/tls/tls13draft23-chrome67.0.3368.0-canary.pcap",
    "zeek/tls/dtls1_0.pcap",
    "zeek/tls/dtls1_2.pcap",
    "zeek/quic/quic_win11_firefox_google.pcap",
    "zeek/quic/quicv2-http3-443.pcap",
    "ja4/latest.pcapng",
]


def version_and_suite(message: Message) -> tuple[int, int]:
    """What a ServerHello chose; a draft of TLS 1.3 is TLS 1.3."""
    chosen = message.extension(43)
    version = chosen.selected_version if chosen is not None else getattr(message, "legacy_version", None) or message.version
    return (0x0304 if version >> 8 in (0x7E, 0x7F) else version), message.cipher_suite


def messages(seen):
    """The messages that are not encrypted, each with its table."""
    version, chosen = 0, None
    encrypted = False
    for s in seen:
        number = s.data[0]
        if number in (1, 2):
            encrypted = False
        if encrypted or "tls.handshake.type" not in s.fields:
            continue
        table = table_for(number, version, chosen, s.data, s.start, dtls=s.dtls)
        assert table is not None, number
        message, problems = runner.read(table, s.data, s.start, len(s.data), 0)
        yield s, message, problems
        if number == 2:
            version, code = version_and_suite(message)
            chosen = suite(code)
        encrypted = number == 16 or (number == 2 and version == 0x0304)


@pytest.fixture(scope="module", params=CAPTURES)
def capture(request, handshakes):
    return list(messages(handshakes(request.param)))


def test_every_message_is_read_and_written_again(capture):
    assert capture
    for seen, message, problems in capture:
        assert [str(problem) for problem in problems] == []
        assert message.write() == seen.data[seen.start :]


def test_fields_agree_with_tshark(capture):
    for seen, message, _ in capture:
        listed = [e for e in getattr(message, "extensions", None) or [] if isinstance(e, Extension)]
        if seen.data[0] in (1, 2):
            assert [e.type for e in listed] == seen.numbers("tls.handshake.extension.type")
            assert ["".join(seen.fields["tls.handshake.random"]).replace(":", "")] == [message.random.hex()]
        if seen.data[0] == 2:
            assert [message.cipher_suite] == seen.numbers("tls.handshake.ciphersuite")
        if seen.data[0] == 1:
            assert message.cipher_suites == seen.numbers("tls.handshake.ciphersuite")
            bodies = {e.type: e.body for e in listed}
            names = [entry.name for entry in bodies[0].server_name_list] if 0 in bodies else []
            assert names == seen.words("tls.handshake.extensions_server_name")
            groups = bodies[10].named_group_list if 10 in bodies else []
            assert groups == seen.numbers("tls.handshake.extensions_supported_group")
            schemes = [n for e in listed if e.type in (13, 34, 50) for n in e.body.supported_signature_algorithms]
            assert schemes == seen.numbers("tls.handshake.sig_hash_alg")
            protocols = bodies[16].protocol_name_list if 16 in bodies else []
            assert protocols == seen.words("tls.handshake.extensions_alpn_str")
            versions = bodies[43].versions if 43 in bodies else []
            assert versions == seen.numbers("tls.handshake.extensions.supported_version")
            shares = [share.group for e in listed if e.type in (40, 51) for share in e.body.client_shares]
            assert shares == seen.numbers("tls.handshake.extensions_key_share_group")
        if seen.data[0] == 11:
            ders = [der.hex() for der in message.certificate_list]
            assert ders == [value.replace(":", "") for value in seen.fields.get("tls.handshake.certificate", [])]


def test_bodies_are_decoded(capture):
    """Only GREASE and unregistered extensions stay bytes."""
    for seen, message, _ in capture:
        if seen.data[0] in (1, 2):
            for extension in getattr(message, "extensions", None) or []:
                if isinstance(extension.body, bytes):
                    assert extension.type & 0x0F0F == 0x0A0A, (seen.data[0], extension)
