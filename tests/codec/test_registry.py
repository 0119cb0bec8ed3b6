import csv
import subprocess
from pathlib import Path

import pytest

from analyzer.codec.registry import DIRECTORY, NAMES_REMEMBERED, Registry, is_grease, registries, registry

GREASE = [0x0A0A + 0x1010 * step for step in range(16)]
MANY_PORTS_ONE_NAME = {"services"}


@pytest.mark.parametrize("name", registries())
def test_every_file_is_complete(name: str) -> None:
    with open(Path(DIRECTORY) / f"{name}.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = [int(row["value"], 0) for row in rows]
    names = [row["name"] for row in rows]
    assert numbers == sorted(set(numbers))
    assert all(text and text == text.strip() and text.isprintable() and text.isascii() for text in names)
    if name not in MANY_PORTS_ONE_NAME:
        assert len(set(names)) == len(names)
    assert {row["recommended"] for row in rows} <= {"Y", "N", "D", ""}
    assert {row.get("dtls_ok", "") for row in rows} <= {"Y", "N", ""}
    assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.parametrize("name", registries())
def test_names_convert_back_to_their_numbers(name: str) -> None:
    numbers = registry(name)
    assert len(numbers) == len(list(numbers)) > 0
    for number in numbers:
        assert numbers.known(number)
        assert numbers.entry(number).number == number
        assert numbers.entry(number).name == numbers.name(number) == numbers.names[number]
        back = numbers.number(numbers.name(number))
        assert numbers.name(back) == numbers.name(number)
        assert back == number or (name in MANY_PORTS_ONE_NAME and back < number)
        if numbers.bits:
            assert 0 <= number < 1 << numbers.bits
            assert numbers.name(number) != numbers.unregistered(number)


@pytest.mark.parametrize("name", registries())
def test_no_registered_number_is_grease(name: str) -> None:
    assert [number for number in registry(name) if registry(name).is_grease(number)] == []


@pytest.mark.parametrize("name", registries())
def test_texts_of_unregistered_numbers_convert_back_too(name: str) -> None:
    numbers = registry(name)
    for number in range(1 << min(numbers.bits or 12, 12)):
        if not numbers.known(number):
            assert numbers.number(numbers.name(number)) == number


@pytest.mark.parametrize("name", ["cipher_suites", "extensions", "supported_groups", "signature_schemes", "versions"])
def test_grease_has_a_name(name: str) -> None:
    numbers = registry(name)
    assert [number for number in range(0x10000) if numbers.is_grease(number)] == GREASE
    assert numbers.name(0x2A2A) == "GREASE 0x2a2a"
    assert numbers.number("GREASE 0x2a2a") == 0x2A2A
    assert not numbers.known(0x2A2A)


def test_grease_of_other_widths() -> None:
    modes = registry("psk_key_exchange_modes")
    assert [number for number in range(256) if modes.is_grease(number)] == [0x0B, 0x2A, 0x49, 0x68, 0x87, 0xA6, 0xC5, 0xE4]
    assert modes.name(0x2A) == "GREASE 0x2a"
    assert registry("quic_versions").name(0x1A2A3A4A) == "GREASE 0x1a2a3a4a"
    assert registry("quic_transport_parameters").name(31 * 100 + 27) == "GREASE 0xc37"
    assert registry("http3_frame_types").name(0x21) == "GREASE 0x21"
    assert registry("http3_frame_types").name(0x02) == "0x02"
    assert registry("alpn_protocol_ids").name(0x3A3A) == "GREASE 0x3a3a"
    assert registry("content_types").name(0x0A) == "0x0a"


def test_is_grease_takes_the_sixteen_of_rfc_8701() -> None:
    assert [number for number in range(0x10000) if is_grease(number)] == GREASE


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("cipher_suites", 0x1A2B, "0x1a2b"),
        ("cipher_suites", 0x0A, None),
        ("alert_descriptions", 0xFE, "0xfe"),
        ("handshake_types", 7, "0x07"),
        ("ssl2_cipher_kinds", 0x1234, "0x001234"),
        ("ssl2_cipher_kinds", 0x0A0A, "0x000a0a"),
        ("quic_versions", 0x22, "0x00000022"),
        ("quic_transport_parameters", 0x1234, "0x1234"),
        ("link_types", 147, "0x93"),
    ],
)
def test_unknown_numbers_print_at_the_width_of_the_wire(name: str, number: int, text: str | None) -> None:
    assert registry(name).known(number) is (text is None)
    if text is not None:
        assert registry(name).name(number) == text


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0x000039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
        (0x0000FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"),
        (0x00C02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (0x010080, "SSL_CK_RC4_128_WITH_MD5"),
        (0x0700C0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"),
    ],
)
def test_a_cipher_kind_of_ssl2_whose_first_byte_is_0_is_a_tls_suite(number: int, name: str) -> None:
    """RFC 5246 appendix E.2: a ClientHello in the form of SSL 2.0 lists both."""
    kinds = registry("ssl2_cipher_kinds")
    assert kinds.name(number) == kinds.names[number] == name
    assert kinds.number(name) == number


@pytest.mark.parametrize(
    "name", ["", "0x", "0x13", "0x1301", "0X1A2B", "0x1A2B", "GREASE 0x1301", "GREASE 0x2a2b", "0x2a2a", "tls"]
)
def test_an_unknown_name_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError, match="in the registry cipher_suites"):
        registry("cipher_suites").number(name)


def test_no_entry_for_an_unregistered_number() -> None:
    with pytest.raises(KeyError, match="no 0x1a2b in the registry cipher_suites"):
        registry("cipher_suites").entry(0x1A2B)


@pytest.mark.parametrize("name", ["nothing", "", "../registry", "/etc/passwd"])
def test_no_such_registry(name: str) -> None:
    with pytest.raises(KeyError, match="no registry named"):
        registry(name)


def test_one_registry_object_per_name() -> None:
    assert registry("versions") is registry("versions")


def test_memory_for_unknown_numbers_is_bounded() -> None:
    numbers = Registry("quic_transport_parameters", str(Path(DIRECTORY) / "quic_transport_parameters.csv"))
    for number in range(1 << 40, (1 << 40) + NAMES_REMEMBERED + 1000):
        assert numbers.names[number].endswith(f"{number:x}")
    assert len(numbers.names) == len(numbers) + NAMES_REMEMBERED


def test_a_line_with_a_cell_too_many_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("value,name,recommended,reference\n1,one,Y,RFC1\n2,two,Y,RFC1,more\n")
    with pytest.raises(ValueError, match=r"odd\.csv:3: 5 cells, not 4"):
        Registry("odd", str(file))


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("versions", 0x0002, "SSL 2.0"),
        ("versions", 0x0303, "TLS 1.2"),
        ("versions", 0xFEFC, "DTLS 1.3"),
        ("versions", 0x7F17, "TLS 1.3 draft 23"),
        ("content_types", 25, "tls12_cid"),
        ("content_types", 26, "ACK"),
        ("handshake_types", 0, "hello_request"),
        ("handshake_types", 4, "new_session_ticket"),
        ("handshake_types", 17, "client_certificate_request"),
        ("handshake_types", 25, "compressed_certificate"),
        ("handshake_types", 254, "message_hash"),
        ("alert_descriptions", 0, "close_notify"),
        ("alert_descriptions", 41, "no_certificate"),
        ("alert_descriptions", 52, "too_many_cids_requested"),
        ("alert_descriptions", 117, "general_error"),
        ("alert_descriptions", 121, "ech_required"),
        ("extensions", 0, "server_name"),
        ("extensions", 16, "application_layer_protocol_negotiation"),
        ("extensions", 34, "delegated_credential"),
        ("extensions", 62, "tls_flags"),
        ("extensions", 0xCA34, "trust_anchors"),
        ("extensions", 0xFE0D, "encrypted_client_hello"),
        ("extensions", 0xFF01, "renegotiation_info"),
        ("extensions", 0xFFA5, "quic_transport_parameters (drafts)"),
        ("supported_groups", 23, "secp256r1"),
        ("supported_groups", 29, "x25519"),
        ("supported_groups", 0x11EC, "X25519MLKEM768"),
        ("supported_groups", 0x6399, "X25519Kyber768Draft00"),
        ("signature_schemes", 0x0403, "ecdsa_secp256r1_sha256"),
        ("signature_schemes", 0x0804, "rsa_pss_rsae_sha256"),
        ("signature_schemes", 0x0905, "mldsa65"),
        ("signature_schemes", 0x091C, "slhdsa_shake_256f"),
        ("hpke_kem_ids", 0x0020, "DHKEM(X25519, HKDF-SHA256)"),
        ("quic_versions", 0x6B3343CF, "QUIC 2"),
        ("quic_transport_parameters", 0x0F, "initial_source_connection_id"),
        ("srtp_protection_profiles", 7, "SRTP_AEAD_AES_128_GCM"),
        ("alpn_protocol_ids", int.from_bytes(b"h2", "big"), "HTTP/2 over TLS"),
        ("ip_protocols", 6, "TCP"),
        ("ip_protocols", 58, "IPv6-ICMP"),
        ("ether_types", 0x86DD, "IPv6"),
        ("link_types", 1, "ETHERNET"),
        ("link_types", 101, "RAW"),
        ("link_types", 276, "LINUX_SLL2"),
        ("tcp_options", 8, "Timestamps"),
        ("services", 53, "DNS"),
        ("services", 443, "TLS"),
    ],
)
def test_names_that_the_rfcs_give(name: str, number: int, text: str) -> None:
    assert registry(name).name(number) == text
    assert registry(name).number(text) == number


@pytest.mark.parametrize(("name", "size"), [("cipher_suites", 356), ("extensions", 64), ("supported_groups", 59)])
def test_as_many_as_iana_had_in_september_2026(name: str, size: int) -> None:
    rows = [registry(name).entry(number) for number in registry(name)]
    assert sum(row.dtls_ok is not None for row in rows) == size


def test_recommended_and_dtls_columns() -> None:
    suites = registry("cipher_suites")
    assert (suites.entry(0x1301).recommended, suites.entry(0x1301).dtls_ok) == ("Y", True)
    assert (suites.entry(0x0005).recommended, suites.entry(0x0005).dtls_ok) == ("D", False)
    assert (suites.entry(0x009E).recommended, suites.entry(0x009E).reference) == ("D", "RFC5288 RFC10015")
    assert (suites.entry(0xE013).recommended, suites.entry(0xE013).dtls_ok) == ("", None)
    assert registry("supported_groups").entry(19).recommended == "D"
    assert registry("hash_algorithms").entry(2).recommended == "D"
    assert registry("alert_descriptions").entry(0).dtls_ok is None


@pytest.mark.peer("tshark")
@pytest.mark.parametrize(
    ("field", "name", "ours"),
    [
        ("tls.handshake.ciphersuite", "cipher_suites", {0xCC13, 0xCC14, 0xCC15, 0xFFE0, 0xFFE1}),
        ("tls.handshake.extension.type", "extensions", {34, 65445, 17613}),
        ("tls.handshake.sig_hash_alg", "signature_schemes", set()),
    ],
)
def test_tshark_has_the_same_names(field: str, name: str, ours: set[int]) -> None:
    numbers = registry(name)
    listing = subprocess.run(["tshark", "-G", "values"], capture_output=True, text=True, check=True).stdout
    theirs: dict[int, str] = {}
    for line in listing.splitlines():
        kind, _, rest = line.partition("\t")
        if kind == "V" and rest.startswith(f"{field}\t"):
            _, value, text = rest.split("\t")
            theirs[int(value, 0)] = text
    assert len(theirs) > 50
    # 0xfe00 to 0xffff are for private use: tshark names experiments there that no registry has.
    differing = {
        number
        for number, text in theirs.items()
        if "Reserved" not in text and numbers.name(number) != text and (numbers.known(number) or number < 0xFE00)
    }
    assert differing <= ours
