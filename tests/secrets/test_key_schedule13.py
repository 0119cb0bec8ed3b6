"""The key schedule of TLS 1.3 compared with RFC 8448, from the (EC)DHE secret and the messages to the records."""

import hashlib

import pytest

from analyzer.secrets import key_schedule13
from analyzer.secrets.record_protection import open_tls13
from analyzer.tls.suites import suite

HASH = "SHA256"
SUITE = suite(0x1301)


def sections(path):
    found = {}
    for part in path.read_text("utf-8").split("\n\n")[1:]:
        head, _, hexadecimal = part.partition("\n")
        found[tuple(head.split(" ", 1))] = bytes.fromhex(hexadecimal)
    return found


@pytest.fixture(scope="module")
def rfc8448(repository):
    folder = repository / "analyzer" / "validation" / "material" / "vectors"
    return sections(folder / "rfc8448.txt") | sections(folder / "rfc8448_secrets.txt")


@pytest.fixture(scope="module")
def transcript(rfc8448):
    """A function: the hash of the messages of section 3, up to the one with that name."""
    names = ["client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify", "server_finished"]
    names.append("client_finished")

    def hashed(last):
        return hashlib.sha256(b"".join(rfc8448["3", name] for name in names[: names.index(last) + 1])).digest()

    return hashed


def test_secrets_from_the_shared_secret_on(rfc8448, transcript):
    early = key_schedule13.early_secret(HASH)
    handshake = key_schedule13.following_secret(HASH, early, rfc8448["3", "shared_secret"])
    main = key_schedule13.following_secret(HASH, handshake)
    derived = {
        "client_handshake_traffic_secret": (handshake, b"c hs traffic", "server_hello"),
        "server_handshake_traffic_secret": (handshake, b"s hs traffic", "server_hello"),
        "client_application_traffic_secret_0": (main, b"c ap traffic", "server_finished"),
        "server_application_traffic_secret_0": (main, b"s ap traffic", "server_finished"),
        "resumption_master_secret": (main, b"res master", "client_finished"),
    }
    for name, (secret, label, last) in derived.items():
        assert key_schedule13.derive_secret(HASH, secret, label, transcript(last)) == rfc8448["3", name]


def test_resumption_early_secret_and_binder(rfc8448):
    psk = key_schedule13.resumption_psk(HASH, rfc8448["3", "resumption_master_secret"], b"\0\0")
    assert psk == rfc8448["4", "pre_shared_key"]
    early = key_schedule13.early_secret(HASH, psk)
    hello = rfc8448["4", "resumption_client_hello"]
    secret = key_schedule13.derive_secret(HASH, early, b"c e traffic", hashlib.sha256(hello).digest())
    assert secret == rfc8448["4", "client_early_traffic_secret"]
    binder_key = key_schedule13.derive_secret(HASH, early, b"res binder", hashlib.sha256(b"").digest())
    assert key_schedule13.finished(HASH, binder_key, hashlib.sha256(hello[:-35]).digest()) == hello[-32:]


def test_traffic_keys(rfc8448):
    key, iv = key_schedule13.traffic_keys(HASH, rfc8448["3", "server_handshake_traffic_secret"], 16)
    assert key.hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert iv.hex() == "5d313eb2671276ee13000b30"


def test_finished_of_both_sides(rfc8448, transcript):
    for side, last in (("server", "certificate_verify"), ("client", "server_finished")):
        secret = rfc8448["3", f"{side}_handshake_traffic_secret"]
        assert key_schedule13.finished(HASH, secret, transcript(last)) == rfc8448["3", f"{side}_finished"][4:]


def test_records_open_byte_for_byte(rfc8448):
    flight = [rfc8448["3", name] for name in ("encrypted_extensions", "certificate", "certificate_verify", "server_finished")]
    payload = bytes(range(50))
    expected = {
        ("3", "server_handshake_traffic_secret"): [("server_handshake", 22, b"".join(flight))],
        ("3", "client_handshake_traffic_secret"): [("client_handshake", 22, rfc8448["3", "client_finished"])],
        ("3", "server_application_traffic_secret_0"): [
            ("server_new_session_ticket", 22, rfc8448["3", "new_session_ticket"]),
            ("server_application_data", 23, payload),
            ("server_alert", 21, b"\1\0"),
        ],
        ("3", "client_application_traffic_secret_0"): [
            ("client_application_data", 23, payload),
            ("client_alert", 21, b"\1\0"),
        ],
        ("4", "client_early_traffic_secret"): [("client_early_data", 23, b"ABCDEF")],
    }
    for (section, name), records in expected.items():
        decryptor = open_tls13(SUITE, rfc8448[section, name])
        for record, content_type, plaintext in records:
            data = rfc8448[section, f"{record}_record"]
            assert decryptor.open(data[0], int.from_bytes(data[1:3], "big"), data[5:]) == (content_type, plaintext)


def test_labels_of_the_drafts():
    """The forms of draft 18 (section 7.1), draft 20 (section 7.1) and RFC 9147 (section 5.9), spelled out by hand."""
    secret = bytes(range(32))

    def hkdf(spelled):
        info = b"\0\x20" + bytes([len(spelled)]) + spelled + b"\0\1"
        inner = hashlib.sha256(bytes(a ^ 0x36 for a in secret.ljust(64, b"\0")) + info).digest()
        return hashlib.sha256(bytes(a ^ 0x5C for a in secret.ljust(64, b"\0")) + inner).digest()

    def following(prefix):
        return key_schedule13.next_traffic_secret(HASH, secret, prefix)

    assert following(key_schedule13.label_prefix(18)) == hkdf(b"TLS 1.3, application traffic secret")
    assert following(key_schedule13.label_prefix(19)) == hkdf(b"TLS 1.3, application traffic secret")
    for draft in (0, 20, 28):
        assert following(key_schedule13.label_prefix(draft)) == hkdf(b"tls13 traffic upd")
    assert following(key_schedule13.DTLS) == hkdf(b"dtls13traffic upd")


def test_hkdf_expand_longer_than_a_hash():
    """RFC 5869, appendix A.1. Its info cannot be made from a label, so the blocks are chained by hand."""
    secret = bytes(range(32))
    long = key_schedule13.expand_label(HASH, secret, b"x", b"", 100)
    info = b"\0\x64\x07tls13 x\0"
    blocks, block = b"", b""
    for number in (1, 2, 3, 4):
        block = key_schedule13.hmac(hashlib.sha256, secret, block + info + bytes([number]))
        blocks += block
    assert long == blocks[:100]
    with pytest.raises(ValueError, match="HKDF"):
        key_schedule13.expand_label(HASH, secret, b"x", b"", 255 * 32 + 1)
