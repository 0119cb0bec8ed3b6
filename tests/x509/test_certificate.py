"""Certificates made by hand, valid and malformed."""

import hashlib
import json
import random
import subprocess
import sys
from collections import Counter

import pytest

from analyzer.codec.errors import Anomaly, Malformed
from analyzer.x509 import certificate as module
from analyzer.x509.certificate import ALTERNATIVE_NAMES, Certificate, certificate
from analyzer.x509.der import encode_object_identifier, read_header
from analyzer.x509.layout import EXTENSIONS, PROBLEMS, Layout
from analyzer.x509.public_key import PublicKey


def tlv(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    n = len(value)
    length = bytes([n]) if n < 0x80 else bytes([0x83]) + n.to_bytes(3, "big")
    return bytes([tag]) + length + value


def identifier(dotted: str) -> bytes:
    return tlv(0x06, encode_object_identifier(dotted))


def name(text: str) -> bytes:
    return tlv(0x30, tlv(0x31, tlv(0x30, identifier("2.5.4.3"), tlv(0x0C, text.encode()))))


def extension(dotted: str, *value: bytes, critical: bool = False) -> bytes:
    return tlv(0x30, identifier(dotted), b"\x01\x01\xff" * critical, tlv(0x04, *value))


def extensions(*each: bytes) -> bytes:
    return tlv(0xA3, tlv(0x30, *each))


def alternative_names(*names: bytes, critical: bool = False) -> bytes:
    return extensions(extension("2.5.29.17", tlv(0x30, *names), critical=critical))


def key(dotted: str, parameters: bytes = b"", bits: bytes = b"") -> bytes:
    return tlv(0x30, tlv(0x30, identifier(dotted), parameters), tlv(0x03, b"\0", bits))


ED25519 = tlv(0x30, identifier("1.3.101.112"))
UTC_2020 = tlv(0x17, b"200101000000Z")
UTC_2030 = tlv(0x17, b"300101000000Z")
PARTS = {
    "version": tlv(0xA0, b"\x02\x01\x02"),
    "serial": tlv(0x02, b"\x0a\x1b"),
    "signature": ED25519,
    "issuer": name("The Authority"),
    "validity": tlv(0x30, UTC_2020, UTC_2030),
    "subject": name("www.example.com"),
    "key": key("1.3.101.112", bits=b"\x01" * 32),
    "extensions": alternative_names(tlv(0x82, b"www.example.com")),
}


def make(signature_algorithm: bytes = ED25519, **changed: bytes) -> bytes:
    tbs = tlv(0x30, *(PARTS | changed).values())
    return tlv(0x30, tbs, signature_algorithm, tlv(0x03, b"\0", b"\x02" * 64))


def check(read: Certificate, **expected: object) -> None:
    for field, value in expected.items():
        assert getattr(read, field) == value, field


def test_every_field() -> None:
    der = make()
    assert certificate(der).record() == {
        "subject": "CN=www.example.com",
        "issuer": "CN=The Authority",
        "serial": "0a1b",
        "not_before": "2020-01-01T00:00:00Z",
        "not_after": "2030-01-01T00:00:00Z",
        "sha256": hashlib.sha256(der).hexdigest(),
        "subject_alt_names": ["www.example.com"],
        "public_key": {"type": "ed25519"},
        "signature_algorithm": "ed25519",
        "type": "x509",
    }
    assert certificate(der).problems == ()


@pytest.mark.parametrize(
    ("octets", "serial"),
    [
        (b"\x00", "00"),
        (b"\x7f", "7f"),
        (b"\x00\xff", "ff"),
        (b"\x00\x00\x00\x01", "01"),
        (b"\xff", "-01"),
        (b"\x80", "-80"),
        (b"\xff\x7f", "-81"),
        (b"\xff\x00", "-0100"),
        (b"\x12" * 40, "12" * 40),
        (b"", None),
    ],
)
def test_serial(octets: bytes, serial: str | None) -> None:
    read = certificate(make(serial=tlv(0x02, octets)))
    check(read, serial=serial, subject="CN=www.example.com")
    if serial is None:
        assert [problem.field for problem in read.problems] == ["serialNumber"]
    else:
        assert int(serial, 16) == int.from_bytes(octets, "big", signed=True)


@pytest.mark.parametrize(
    ("tag", "octets", "text"),
    [
        (0x17, b"491231235959Z", "2049-12-31T23:59:59Z"),
        (0x17, b"500101000000Z", "1950-01-01T00:00:00Z"),
        (0x17, b"2001010000Z", "2020-01-01T00:00:00Z"),
        (0x17, b"200101003000+0100", "2019-12-31T23:30:00Z"),
        (0x17, b"191231233000-0100", "2020-01-01T00:30:00Z"),
        (0x17, b"200229000000Z", "2020-02-29T00:00:00Z"),
        (0x18, b"20500101000000Z", "2050-01-01T00:00:00Z"),
        (0x18, b"99991231235959Z", "9999-12-31T23:59:59Z"),
        (0x18, b"20200101000000.5Z", "2020-01-01T00:00:00.500000000Z"),
        (0x18, b"20200101000000.12345678901Z", "2020-01-01T00:00:00.123456789Z"),
        (0x18, b"2020010112", "2020-01-01T12:00:00Z"),
        (0x17, b"200230000000Z", None),
        (0x17, b"201301000000Z", None),
        (0x17, b"200101000060Z", None),
        (0x17, b"", None),
        (0x17, b"2\xb20101000000Z", None),
        (0x18, b"00000101000000Z", None),
        (0x18, b"99991231235959-0100", None),
        (0x18, b"20200101000000+9999", "2019-12-27T19:21:00Z"),
        (0x18, b"20200101000000." + b"1" * 100 + b"Z", None),
        (0x13, b"200101000000Z", None),
    ],
)
def test_times(tag: int, octets: bytes, text: str | None) -> None:
    before = certificate(make(validity=tlv(0x30, tlv(tag, octets), UTC_2030)))
    check(before, not_before=text, not_after="2030-01-01T00:00:00Z", subject="CN=www.example.com")
    after = certificate(make(validity=tlv(0x30, UTC_2020, tlv(tag, octets))))
    check(after, not_before="2020-01-01T00:00:00Z", not_after=text, subject="CN=www.example.com")
    assert [problem.field for problem in before.problems] == ["notBefore"] * (text is None)
    assert [problem.field for problem in after.problems] == ["notAfter"] * (text is None)


MODULUS = tlv(0x30, tlv(0x02, b"\0\x80", b"\x01" * 127), tlv(0x02, b"\x01\0\x01"))
PRIMES = tlv(0x30, tlv(0x02, b"\x7f", b"\x01" * 127), tlv(0x02, b"\x05"), tlv(0x02, b"\x05"))


@pytest.mark.parametrize(
    ("spki", "expected"),
    [
        (key("1.2.840.113549.1.1.1", b"\x05\0", MODULUS), PublicKey("rsa", bits=1024)),
        (key("1.2.840.113549.1.1.1", b"\x05\0", tlv(0x30, tlv(0x02))), PublicKey("rsa", bits=0)),
        (key("1.2.840.113549.1.1.10", b"", MODULUS), PublicKey("rsassa-pss", bits=1024)),
        (key("1.2.840.10040.4.1", PRIMES), PublicKey("dsa", bits=1023)),
        (key("1.2.840.10045.2.1", identifier("1.2.840.10045.3.1.7")), PublicKey("ec", curve="secp256r1")),
        (key("1.2.840.10045.2.1", identifier("1.3.36.3.3.2.8.1.1.13")), PublicKey("ec", curve="brainpoolP512r1")),
        (key("1.2.840.10045.2.1", identifier("1.2.3.4")), PublicKey("ec", curve="1.2.3.4")),
        (key("1.2.840.10045.2.1", tlv(0x30, b"\x02\x01\x01")), PublicKey("ec", curve="explicit")),
        (key("1.3.101.113"), PublicKey("ed448")),
        (key("2.16.840.1.101.3.4.3.17"), PublicKey("ml-dsa-44")),
        (key("2.16.840.1.101.3.4.3.19"), PublicKey("ml-dsa-87")),
        (key("2.16.840.1.101.3.4.3.20"), PublicKey("slh-dsa-sha2-128s")),
        (key("2.16.840.1.101.3.4.3.31"), PublicKey("slh-dsa-shake-256f")),
        (key("1.2.3.4.5"), PublicKey("1.2.3.4.5")),
    ],
)
def test_public_keys(spki: bytes, expected: PublicKey) -> None:
    read = certificate(make(key=spki))
    assert read.public_key == expected
    assert read.problems == ()


@pytest.mark.parametrize(
    ("spki", "expected"),
    [
        (key("1.2.840.113549.1.1.1", b"\x05\0", b"nothing"), PublicKey("rsa")),
        (key("1.2.840.113549.1.1.1", b"\x05\0"), PublicKey("rsa")),
        (key("1.2.840.10045.2.1"), PublicKey("ec")),
        (key("1.2.840.10045.2.1", b"\x05\0"), PublicKey("ec")),
        (key("1.2.840.10040.4.1"), PublicKey("dsa")),
        (tlv(0x30, tlv(0x30, b"\x06\0")), None),
        (tlv(0x30), None),
    ],
)
def test_unreadable_public_keys(spki: bytes, expected: PublicKey | None) -> None:
    read = certificate(make(key=spki))
    check(read, public_key=expected, subject="CN=www.example.com", subject_alt_names=("www.example.com",))
    assert [problem.field for problem in read.problems] == ["subjectPublicKeyInfo"]


def test_signature_algorithms() -> None:
    sha256, sha1, unknown = (
        tlv(0x30, identifier(dotted), b"\x05\0") for dotted in ("1.2.840.113549.1.1.11", "1.2.840.10045.4.1", "1.2.3")
    )
    check(certificate(make(sha256, signature=sha256)), signature_algorithm="sha256WithRSAEncryption", problems=())
    check(certificate(make(sha1, signature=sha1)), signature_algorithm="ecdsa-with-SHA1", problems=())
    check(certificate(make(unknown, signature=unknown)), signature_algorithm="1.2.3", problems=())
    both = certificate(make(sha1, signature=sha256))
    assert both.signature_algorithm == "ecdsa-with-SHA1"
    assert [type(problem) for problem in both.problems] == [Anomaly]


def test_alternative_names() -> None:
    dns = tlv(0x82, b"a.example")
    assert certificate(make(extensions=alternative_names(dns, critical=True))).subject_alt_names == ("a.example",)
    assert certificate(make(extensions=b"", version=b"")).subject_alt_names == ()
    assert certificate(make(extensions=extensions(extension("2.5.29.15", b"\x03\x02\x05\xa0")))).subject_alt_names == ()

    bad_one = certificate(make(extensions=alternative_names(dns, tlv(0x87, b"12345"), tlv(0x82, b"b.example"))))
    assert bad_one.subject_alt_names == ("a.example", "b.example")
    assert [problem.field for problem in bad_one.problems] == ["subjectAltName"]

    cut_off = certificate(make(extensions=alternative_names(dns, b"\x82\x70b.example")))
    check(cut_off, subject_alt_names=("a.example",), subject="CN=www.example.com")
    assert len(cut_off.problems) == 1

    unreadable = certificate(make(extensions=tlv(0xA3, b"\x04\0")))
    check(unreadable, subject_alt_names=None, subject="CN=www.example.com")
    assert len(unreadable.problems) == 1


def test_what_can_grow_is_bounded() -> None:
    many = certificate(make(extensions=alternative_names(tlv(0x82, b"a") * (ALTERNATIVE_NAMES + 5))))
    assert many.subject_alt_names == ("a",) * ALTERNATIVE_NAMES
    assert [type(problem) for problem in many.problems] == [Anomaly]
    assert not certificate(make(extensions=alternative_names(tlv(0x82, b"a") * ALTERNATIVE_NAMES))).problems

    san = extension("2.5.29.17", tlv(0x30, tlv(0x82, b"late.example")))
    late = make(extensions=extensions(extension("2.5.29.15") * (EXTENSIONS - 1), san))
    assert certificate(late).subject_alt_names == ("late.example",)
    all_read = certificate(make(extensions=extensions(extension("2.5.29.15") * EXTENSIONS)))
    check(all_read, subject_alt_names=(), problems=())
    too_late = certificate(make(extensions=extensions(extension("2.5.29.15") * EXTENSIONS, san)))
    check(too_late, subject_alt_names=None)
    assert [type(problem) for problem in too_late.problems] == [Anomaly]

    junk = certificate(make(extensions=alternative_names(tlv(0x82, b"a")) + b"\x05\0" * 1000))
    check(junk, subject_alt_names=("a",), signature_algorithm="ed25519")
    assert [type(problem) for problem in junk.problems] == [Anomaly]

    assert len(certificate(make(extensions=alternative_names(tlv(0x87) * 1000))).problems) == PROBLEMS


def test_memory_is_bounded() -> None:
    memory = module._memory
    for i in range(400):
        certificate(make(serial=tlv(0x02, i.to_bytes(4, "big")), extensions=alternative_names(tlv(0x82) * 2000)))
        assert memory.n_bytes <= module.REMEMBERED_BYTES
    assert 50 < len(memory.certificates) < 400
    assert memory.n_bytes == sum(module._cost(der, known) for der, known in memory.certificates.items())
    size = sum(sys.getsizeof(der) + sys.getsizeof(known.subject_alt_names) for der, known in memory.certificates.items())
    assert size <= module.REMEMBERED_BYTES
    giant = make(subject=name("x" * module.REMEMBERED_SIZE))
    assert certificate(giant) == certificate(giant)
    assert giant not in memory.certificates
    small = make(serial=tlv(0x02, b"\x01"))
    assert certificate(small) is certificate(bytes(bytearray(small)))


def test_problems_keep_no_frames_alive() -> None:
    read = certificate(make(serial=tlv(0x02), validity=tlv(0x30, tlv(0x17, b"200230000000Z"), UTC_2030), key=tlv(0x30)))
    assert len(read.problems) == 3
    for problem in read.problems:
        assert problem.__traceback__ is None
        assert problem.__context__ is None
        assert problem.__cause__ is None


def test_lengths_that_der_forbids() -> None:
    def indefinite(tag: int, *values: bytes) -> bytes:
        return bytes([tag, 0x80]) + b"".join(values) + b"\0\0"

    facts = certificate(make()).record()
    parts = PARTS | {"validity": indefinite(0x30, UTC_2020, UTC_2030), "serial": b"\x02\x84\0\0\0\x02\x0a\x1b"}
    tbs = indefinite(0x30, *parts.values())
    der = indefinite(0x30, tbs, ED25519, tlv(0x03, b"\0\0"))
    read = certificate(der)
    assert read.record() | {"sha256": None} == facts | {"sha256": None}
    assert read.problems == ()


def test_damage_after_the_signed_part() -> None:
    whole = certificate(make()).record()
    for end in (b"", b"\x30\x70", b"\x05\0", ED25519, ED25519 + b"\x03\x70"):
        read = certificate(tlv(0x30, tlv(0x30, *PARTS.values()), end))
        assert read.record() | {"sha256": None} == whole | {"sha256": None}
        assert read.problems


def test_trailing_bytes() -> None:
    whole = certificate(make())
    read = certificate(make() + b"more")
    assert read.record() | {"sha256": None} == whole.record() | {"sha256": None}
    assert [str(problem) for problem in read.problems] == [f"Certificate at 0x{len(make()):x}: 4 bytes follow it"]


def test_no_certificate_at_all() -> None:
    for data in (b"", b"\0", b"0", b"\x30\0", b"-----BEGIN CERTIFICATE-----", bytes(1000), b"\x30\x80" * 1000):
        read = certificate(data)
        assert read.sha256 == hashlib.sha256(data).hexdigest()
        assert read.record() == dict.fromkeys(read.record()) | {"sha256": read.sha256, "type": "x509"}
        assert read.problems


def test_every_truncation() -> None:
    der = make()
    whole = certificate(der).record()
    known = 0
    for n in range(len(der)):
        read = certificate(der[:n])
        facts = {field: value for field, value in read.record().items() if value is not None and field != "sha256"}
        assert facts == {field: whole[field] for field in facts}, n
        assert len(facts) >= known  # more bytes never give fewer facts
        known = len(facts)
        assert isinstance(read.problems[0], Malformed)
    assert known == len(whole) - 1


def unread(der: bytes, layout: Layout) -> dict[str, int]:
    """Count the bytes inside a certificate that are not part of a field, by the field after them; `` counts those after all
    fields."""
    names = sorted(layout.found, key=lambda name: layout.found[name][1])
    _, pos, _ = read_header(der, 0, len(der), "Certificate")
    _, pos, _ = read_header(der, pos, len(der), "tbsCertificate")
    counts: dict[str, int] = {}
    for name in names:
        _, start, end, after = layout.found[name]
        assert pos <= start <= end <= after <= len(der)
        begun = pos
        while (header := read_header(der, pos, len(der), name))[1] != start:
            pos = header[1] + header[2]
            assert pos < start
        if pos > begun:
            counts[name] = pos - begun
        pos = after
    if pos < len(der):
        counts[""] = len(der) - pos
    return counts


PASSED_OVER = {
    "extensions": "elements behind the key whose tag no version of X.509 knows",
    "signatureAlgorithm": "the same, where there are no extensions behind them",
    "": "what is behind the signature and inside the certificate's length",
}
"""Where there may be bytes that the reader neither returns nor reports: only where no field can be."""


def test_mutations_lose_no_byte_without_a_report() -> None:
    """In a certificate without a problem all bytes are in consecutive fields, or in the places named above."""
    chance = random.Random(5280)
    samples = [make(), make(key=key("1.2.840.113549.1.1.1", b"\x05\0", MODULUS)), make(key=key("1.2.840.10040.4.1", PRIMES))]
    n_whole = 0
    places: Counter[str] = Counter()
    for _ in range(20_000):
        mutated = bytearray(chance.choice(samples))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(mutated))
            match chance.randrange(3):
                case 0:
                    mutated[at] = chance.choice((0, 0x7F, 0x80, 0x81, 0x84, 0xFF, chance.randrange(256)))
                case 1:
                    del mutated[at : at + chance.randint(1, 8)]
                case 2:
                    mutated[at:at] = chance.randbytes(chance.randint(1, 8))
            if not mutated:
                break
        der = bytes(mutated)
        read = certificate(der)
        json.dumps(read.record()).encode()
        layout = Layout(der)
        assert len(read.problems) >= len(layout.problems)
        if not read.problems and read.type == "x509":
            found = unread(der, layout)
            places.update(found.keys())
            n_whole += not found
    assert n_whole > 1000
    assert places.keys() <= PASSED_OVER.keys()
    assert places.total() < n_whole / 50


def test_cryptography_is_not_needed() -> None:
    code = "import sys, analyzer.x509.certificate; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
