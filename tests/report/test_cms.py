"""CMS signatures: every flipped bit of what matters is noticed, and hostile objects are errors."""

import hashlib
from typing import Any

import authorities
import pytest
from asn1crypto import cms
from bundles import certificate, root, signer

from analyzer.report.cms import CmsError, check_signature, digest_name, load, make_signature
from analyzer.report.signing import signing_time

CONTENT = b"what is signed"


def digest(name: str) -> bytes:
    return hashlib.new(name, CONTENT).digest()


def made(kind: str = "rsa") -> bytes:
    key = authorities.key(f"Examiner {kind}", kind)
    return make_signature(digest(digest_name(key)), key, certificate(kind), [root()], None)


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
def test_who_signed_is_named(kind: str):
    signed_by = check_signature(load(made(kind)), digest)
    assert (signed_by.certificate, list(signed_by.others), signed_by.time) == (certificate(kind), [root()], None)


def test_the_time_that_the_signer_writes_is_given():
    key = authorities.key("Examiner rsa", "rsa")
    at = signing_time("2026-11-28T12:30:15Z")
    assert check_signature(load(make_signature(digest("sha256"), key, certificate("rsa"), [], at)), digest).time == at


def test_other_content_is_noticed():
    with pytest.raises(CmsError, match="other content"):
        check_signature(load(made()), lambda name: hashlib.new(name, CONTENT + b"!").digest())


def test_a_flipped_bit_never_leads_to_another_signer_or_a_crash():
    """Bits outside of what is signed, such as those of further certificates, may change; who signed may not."""
    data = made("ec")
    n_noticed = 0
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 0x04]) + data[at + 1 :]
        try:
            signed_by = check_signature(load(changed), digest)
        except CmsError:
            n_noticed += 1
            continue
        assert signed_by.certificate == certificate("ec"), at
    assert n_noticed > len(data) // 3


def changed(**keys: Any) -> bytes:
    """The signature with other values in its signer info, and the rest as it was."""
    info = cms.ContentInfo.load(made())
    for key, value in keys.items():
        info["content"]["signer_infos"][0][key] = value
    data: bytes = info.dump(force=True)
    return data


def test_attributes_and_algorithms_have_to_fit():
    for keys, why in (
        ({"digest_algorithm": {"algorithm": "sha512"}}, "other content|two different hashes"),
        ({"digest_algorithm": {"algorithm": "sha1"}}, "none of SHA-256"),
        ({"signed_attrs": cms.CMSAttributes([])}, "attribute"),
        ({"signature": b"\0" * 256}, "does not fit"),
        ({"signature_algorithm": {"algorithm": "sha256_ecdsa"}}, "does not make such signatures"),
    ):
        with pytest.raises(CmsError, match=why):
            check_signature(load(changed(**keys)), digest)


def test_a_certificate_with_the_same_name_and_key_is_not_taken_for_the_signers():
    """The hash of the certificate stands among the signed attributes."""
    twin = authorities.issue("Examiner rsa", "Root", kind="rsa", end=authorities.AT + 101 * authorities.DAY)
    info = cms.ContentInfo.load(made())
    info["content"]["certificates"] = [cms.CertificateChoices.load(authorities.der(twin))]
    with pytest.raises(CmsError, match="another certificate"):
        check_signature(load(info.dump(force=True)), digest)


@pytest.mark.parametrize("data", [b"", b"\x30\x80" * 5000, b"\x30\x84\xff\xff\xff\xff", b"\x02\x01\x00", b"\0" * (2 << 20)])
def test_a_hostile_object_is_an_error(data: bytes):
    with pytest.raises(CmsError):
        check_signature(load(data), digest)


def test_a_signer_twice_is_refused():
    info = cms.ContentInfo.load(made())
    infos = info["content"]["signer_infos"]
    info["content"]["signer_infos"] = [infos[0], cms.SignerInfo.load(infos[0].dump())]
    with pytest.raises(CmsError, match="exactly one"):
        check_signature(load(info.dump(force=True)), digest)


def test_the_manifest_signature_of_a_key_is_such_an_object():
    assert check_signature(load(signer("rsa", True).sign(CONTENT, None)), digest).certificate == certificate("rsa")
