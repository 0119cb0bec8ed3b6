"""Time-stamp tokens of an authority made with openssl: what they prove, and to whom."""

from pathlib import Path

import pytest
from asn1crypto import tsp
from bundles import certificate
from cryptography.hazmat.primitives.serialization import Encoding
from time_stamps import TimeStampAuthority

from analyzer.report.time_stamp import TokenError, check_token, make_request
from analyzer.report.trusted_signers import read_trusted

MANIFEST = b'{"format": "analyzer bundle"}\n'

pytestmark = pytest.mark.peer("openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeStampAuthority:
    return TimeStampAuthority(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture(scope="module")
def answered(authority: TimeStampAuthority) -> tuple[bytes, int]:
    request, nonce = make_request(MANIFEST)
    return authority.reply(request), nonce


def test_a_request_has_the_hash_and_a_new_nonce():
    requests = [make_request(MANIFEST) for _ in range(2)]
    assert requests[0] != requests[1]
    for data, nonce in requests:
        request = tsp.TimeStampReq.load(data, strict=True)
        assert request["nonce"].native == nonce
        assert request["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"
        assert request["cert_req"].native is True


def test_without_a_trusted_certificate_nobody_vouches(answered: tuple[bytes, int]):
    stamp = check_token(answered[0], MANIFEST, None, answered[1])
    assert (stamp.authority, stamp.policy, stamp.vouched) == ("CN=Test TSA", "1.2.3.4.1", False)


@pytest.mark.parametrize("which", ["ca", "certificate"])
def test_a_trusted_certificate_vouches(authority: TimeStampAuthority, answered: tuple[bytes, int], which: str):
    path: Path = getattr(authority, which)
    assert check_token(answered[0], MANIFEST, read_trusted(path.read_bytes()), answered[1]).vouched


def test_another_certificate_does_not(answered: tuple[bytes, int], tmp_path: Path):
    other = TimeStampAuthority(tmp_path / "other")  # with the same names
    for trusted in (read_trusted(other.ca.read_bytes()), read_trusted(certificate("ec").public_bytes(Encoding.PEM))):
        with pytest.raises(TokenError, match="vouches"):
            check_token(answered[0], MANIFEST, trusted, None)


def test_another_manifest_or_nonce_is_noticed(answered: tuple[bytes, int]):
    with pytest.raises(TokenError, match="other content"):
        check_token(answered[0], MANIFEST + b" ", None)
    with pytest.raises(TokenError, match="nonce"):
        check_token(answered[0], MANIFEST, None, answered[1] + 1)


def test_a_certificate_that_is_not_for_time_stamps_is_refused(tmp_path: Path):
    wrong = TimeStampAuthority(tmp_path / "wrong", usage="timeStamping,codeSigning")
    with pytest.raises(TokenError, match="time stamps only"):
        check_token(_forced(wrong), MANIFEST, None)


def _forced(wrong: TimeStampAuthority) -> bytes:
    """A token that is right except for the certificate: signed here, because openssl does not."""
    from asn1crypto import cms, x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    right = TimeStampAuthority(wrong.folder / "right")
    response = tsp.TimeStampResp.load(right.reply(make_request(MANIFEST)[0]))
    signed = response["time_stamp_token"]["content"]
    mine = x509.Certificate.load(load_pem_x509_certificate(wrong.certificate.read_bytes()).public_bytes(Encoding.DER))
    signed["certificates"] = [cms.CertificateChoices.load(mine.dump())]
    info = signed["signer_infos"][0]
    kept = [one for one in info["signed_attrs"] if not one["type"].native.startswith("signing_certificate")]
    attributes = cms.CMSAttributes(kept)
    key = load_pem_private_key((wrong.folder / "tsa.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    info["sid"] = cms.SignerIdentifier(
        {"issuer_and_serial_number": {"issuer": mine.issuer, "serial_number": mine.serial_number}}
    )
    info["signed_attrs"] = attributes
    info["signature"] = key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
    data: bytes = response.dump(force=True)
    return data


def test_a_flipped_bit_is_noticed_or_changes_nothing_of_what_the_token_says(
    authority: TimeStampAuthority, answered: tuple[bytes, int]
):
    trusted = read_trusted(authority.ca.read_bytes())
    data, nonce = answered
    right = check_token(data, MANIFEST, trusted, nonce)
    n_noticed = 0
    for at in range(0, len(data), 3):
        changed = data[:at] + bytes([data[at] ^ 0x04]) + data[at + 1 :]
        try:
            assert check_token(changed, MANIFEST, trusted, nonce) == right, at
        except TokenError:
            n_noticed += 1
    assert n_noticed > len(data) // 3 // 2


def test_a_refusal_is_no_token():
    refusal = bytes.fromhex("3005 3003 020102")  # PKIStatusInfo alone: rejection
    with pytest.raises(TokenError, match="did not grant"):
        check_token(refusal, MANIFEST, None)


@pytest.mark.parametrize("data", [b"", b"\0" * 10, b"\x30\x80" * 1000, b"\x30\x84\xff\xff\xff\xff", bytes(1 << 19), b"<html>"])
def test_a_hostile_answer_is_an_error(data: bytes):
    with pytest.raises(TokenError):
        check_token(data, MANIFEST, None)
