import pytest

from analyzer.codec.registry import registry
from analyzer.tls.suites import Suite, read_name, suite

EVERY = sorted(registry("cipher_suites"))
SUITES = [found for number in EVERY if (found := suite(number)) is not None]


def test_every_registered_number_is_a_suite_or_a_signal() -> None:
    assert [number for number in EVERY if suite(number) is None] == [0x00FF, 0x5600]


@pytest.mark.parametrize("number", [0x0A0A, 0xFAFA, 0x1A2B, 0xFFFF])
def test_what_the_registry_does_not_name_is_none(number: int) -> None:
    assert suite(number) is None


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (0x0000, ("NULL", "NULL", False, "NULL", "null", "NULL", "NULL", False)),
        (0x0003, ("RSA", "RSA", True, "RC4_40", "stream", "HMAC", "MD5", False)),
        (0x0014, ("DHE", "RSA", True, "DES40_CBC", "cbc", "HMAC", "SHA", False)),
        (0x0018, ("DH", "anon", False, "RC4_128", "stream", "HMAC", "MD5", False)),
        (0x001D, ("FORTEZZA_KEA", "DSS", False, "FORTEZZA_CBC", "cbc", "HMAC", "SHA", False)),
        (0x0026, ("KRB5", "KRB5", True, "DES_CBC_40", "cbc", "HMAC", "SHA", False)),
        (0x002F, ("RSA", "RSA", False, "AES_128_CBC", "cbc", "HMAC", "SHA", False)),
        (0x003B, ("RSA", "RSA", False, "NULL", "null", "HMAC", "SHA256", False)),
        (0x0061, ("RSA", "RSA", True, "RC2_CBC_56", "cbc", "HMAC", "MD5", False)),
        (0x0071, ("", "", False, "AES_128_CCM", "aead", "AEAD", "ASCONHASH256", True)),
        (0x0079, ("DHE", "RSA", False, "AES_256_CBC", "cbc", "HMAC", "RMD", False)),
        (0x0081, ("GOST", "GOST", False, "28147_CNT", "stream", "IMIT", "GOSTR3411", False)),
        (0x0083, ("GOST", "GOST", False, "NULL", "null", "HMAC", "GOSTR3411", False)),
        (0x008C, ("PSK", "PSK", False, "AES_128_CBC", "cbc", "HMAC", "SHA", False)),
        (0x00A3, ("DHE", "DSS", False, "AES_256_GCM", "aead", "AEAD", "SHA384", False)),
        (0x00AC, ("RSA_PSK", "RSA_PSK", False, "AES_128_GCM", "aead", "AEAD", "SHA256", False)),
        (0x00C6, ("", "", False, "SM4_GCM", "aead", "AEAD", "SM3", True)),
        (0x1302, ("", "", False, "AES_256_GCM", "aead", "AEAD", "SHA384", True)),
        (0x1303, ("", "", False, "CHACHA20_POLY1305", "aead", "AEAD", "SHA256", True)),
        (0x1305, ("", "", False, "AES_128_CCM_8", "aead", "AEAD", "SHA256", True)),
        (0x1306, ("", "", False, "AEGIS_256", "aead", "AEAD", "SHA512", True)),
        (0xC005, ("ECDH", "ECDSA", False, "AES_256_CBC", "cbc", "HMAC", "SHA", False)),
        (0xC018, ("ECDH", "anon", False, "AES_128_CBC", "cbc", "HMAC", "SHA", False)),
        (0xC01A, ("SRP", "SRP", False, "3DES_EDE_CBC", "cbc", "HMAC", "SHA", False)),
        (0xC01E, ("SRP", "SRP_RSA", False, "AES_128_CBC", "cbc", "HMAC", "SHA", False)),
        (0xC02F, ("ECDHE", "RSA", False, "AES_128_GCM", "aead", "AEAD", "SHA256", False)),
        (0xC09C, ("RSA", "RSA", False, "AES_128_CCM", "aead", "AEAD", "SHA256", False)),
        (0xC0AA, ("DHE_PSK", "PSK", False, "AES_128_CCM_8", "aead", "AEAD", "SHA256", False)),
        (0xC0B3, ("ECCPWD", "ECCPWD", False, "AES_256_CCM", "aead", "AEAD", "SHA384", False)),
        (0xC0B5, ("", "", False, "NULL", "null", "HMAC", "SHA384", True)),
        (0xC0FF, ("ECJPAKE", "ECJPAKE", False, "AES_128_CCM_8", "aead", "AEAD", "SHA256", False)),
        (0xC100, ("GOST", "GOST", False, "KUZNYECHIK_CTR", "stream", "OMAC", "GOSTR341112_256", False)),
        (0xC104, ("", "", False, "MAGMA_MGM_L", "aead", "AEAD", "GOSTR341112_256", True)),
        (0xCC13, ("ECDHE", "RSA", False, "CHACHA20_POLY1305_OLD", "aead", "AEAD", "SHA256", False)),
        (0xCCAC, ("ECDHE_PSK", "PSK", False, "CHACHA20_POLY1305", "aead", "AEAD", "SHA256", False)),
        (0xE013, ("ECC", "SM2", False, "SM4_CBC", "cbc", "HMAC", "SM3", False)),
        (0xE01A, ("RSA", "RSA", False, "SM4_CBC", "cbc", "HMAC", "SHA", False)),
        (0xE412, ("ECDHE", "RSA", False, "ESTREAM_SALSA20", "stream", "HMAC", "SHA", False)),
        (0xFEFF, ("RSA", "RSA", False, "3DES_EDE_CBC", "cbc", "HMAC", "SHA", False)),
        (0xFF85, ("GOST", "GOST", False, "28147_CNT", "stream", "IMIT", "GOSTR341112_256", False)),
        (0xFFE1, ("RSA", "RSA", False, "DES_CBC", "cbc", "HMAC", "SHA", False)),
    ],
)
def test_parts(number: int, parts: tuple[str, str, bool, str, str, str, str, bool]) -> None:
    assert suite(number) == Suite(registry("cipher_suites").name(number), *parts)


@pytest.mark.parametrize("found", SUITES, ids=lambda found: found.name)
def test_the_parts_of_every_suite_agree_with_its_name(found: Suite) -> None:
    assert (found.key_exchange == "") is (found.authentication == "") is found.tls13
    assert found.export is ("EXPORT" in found.name)
    assert (found.mode == "aead") is (found.mac == "AEAD")
    assert (found.mode == "null") is (found.cipher == "NULL")
    assert (found.mode == "cbc") is ("CBC" in found.name or found.cipher == "SM1")
    assert found.cipher.removesuffix("_OLD") in found.name or found.cipher == "NULL"
    assert found.hash in found.name or "CCM" in found.name or found.hash == "GOSTR3411"
    assert not set(found.cipher.split("_")) & {"WITH", "TLS", "SSL", "RSA", "PSK", "SHA", "SHA256", "SHA384", "MD5"}
    assert found.prf_hash not in {"MD5", "SHA", "NULL"}


@pytest.mark.parametrize(
    ("number", "forward_secret"),
    [
        (0x002F, False),
        (0x0031, False),
        (0x0033, True),
        (0x0034, True),
        (0x008C, False),
        (0xC004, False),
        (0xC009, True),
        (0x1301, True),
    ],
)
def test_forward_secrecy(number: int, forward_secret: bool) -> None:
    found = suite(number)
    assert found is not None
    assert found.forward_secret is forward_secret


@pytest.mark.parametrize(("number", "prf_hash"), [(0x0005, "SHA256"), (0xC028, "SHA384"), (0xC02B, "SHA256"), (0xE013, "SM3")])
def test_prf_hash(number: int, prf_hash: str) -> None:
    found = suite(number)
    assert found is not None
    assert found.prf_hash == prf_hash


def test_a_name_of_another_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="no known key exchange: NTRU_RSA2"):
        read_name("TLS_NTRU_RSA2_WITH_RC4_128_SHA")


def test_the_same_object_every_time() -> None:
    assert suite(0x1301) is suite(0x1301)
