"""RSA private keys in every file format, and the premaster secrets that they decrypt."""

import os
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.private_keys import LARGEST_FILE, choose, read_private_keys

PASSWORD = b"correct horse"


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def pem(keys):
    return keys.folder.joinpath("rsa.pem").read_bytes()


@pytest.fixture(scope="module")
def certificate(pem):
    return openssl("x509", "-outform", "DER", data=pem)


@pytest.fixture(scope="module")
def encrypt(pem):
    public = load_pem_private_key(pem, None).public_key()
    return lambda data: public.encrypt(data, padding.PKCS1v15())


FORMS = {
    "PKCS#8": (["pkey"], None),
    "PKCS#8 in DER": (["pkey", "-outform", "DER"], None),
    "PKCS#8 encrypted": (["pkey", "-aes256", "-passout", "pass:correct horse"], PASSWORD),
    "PKCS#8 encrypted in DER": (["pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:correct horse"], PASSWORD),
    "PKCS#1": (["pkey", "-traditional"], None),
    "PKCS#1 encrypted": (["pkey", "-traditional", "-aes128", "-passout", "pass:correct horse"], PASSWORD),
    "PKCS#1 in DER": (["rsa", "-outform", "DER", "-traditional"], None),
    "PKCS#12": (["pkcs12", "-export", "-passout", "pass:correct horse"], PASSWORD),
    "PKCS#12 without password": (["pkcs12", "-export", "-passout", "pass:"], None),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file(form, pem, certificate, encrypt):
    command, password = FORMS[form]
    data = openssl(*command, data=pem)
    premaster = b"\3\3" + os.urandom(46)
    for given in {password, PASSWORD} if not form.startswith("PKCS#12") else {password}:
        (key,) = read_private_keys(data, given)
        assert key.belongs_to(certificate)
        assert key.premaster(encrypt(premaster), 0x0303) == premaster
    if password is not None:
        for wrong in (None, b"wrong"):
            with pytest.raises(DecryptionError, match="wrong_secret"):
                read_private_keys(data, wrong)


def test_the_key_of_a_certificate_among_several(keys, pem, certificate):
    other = openssl("genrsa", "2048")
    everything = other + b"words between\n" + keys.folder.joinpath("ec.pem").read_bytes() + pem
    found = read_private_keys(everything)
    assert len(found) == 2
    assert choose(found, certificate) is found[1]
    assert choose(found[:1], certificate) is None
    assert choose(found, bytes(1000)) is None


def test_only_a_premaster_secret_with_its_version_is_one(pem, encrypt):
    (key,) = read_private_keys(pem)
    premaster = b"\3\1" + bytes(46)
    assert key.premaster(encrypt(premaster), 0x0303, 0x0301) == premaster
    for data in (encrypt(premaster), encrypt(b"\3\3" + bytes(45)), bytes(255) + b"\1", b"", os.urandom(200)):
        with pytest.raises(DecryptionError, match="wrong_secret"):
            key.premaster(data, 0x0303)
    with pytest.raises(DecryptionError, match="malformed"):
        key.premaster(bytes(257), 0x0303)


def test_leading_zeros_that_were_left_out(pem, encrypt):
    (key,) = read_private_keys(pem)
    premaster = b"\3\3" + bytes(46)
    encrypted = next(data for _ in range(5000) if not (data := encrypt(premaster))[0])
    assert key.premaster(encrypted[1:], 0x0303) == premaster


def test_what_is_no_key(keys, pem):
    for data in (
        b"",
        b"-----BEGIN ",
        b"nonsense",
        pem[len(pem) // 2 :],
        keys.folder.joinpath("ec.pem").read_bytes(),
        b"\0" * 100,
    ):
        with pytest.raises(DecryptionError, match="malformed"):
            read_private_keys(data)
    with pytest.raises(DecryptionError, match="malformed"):
        read_private_keys(bytes(LARGEST_FILE + 1))
    damaged = pem.replace(b"\n", b"\nAAAA", 3)
    with pytest.raises(DecryptionError, match="malformed"):
        read_private_keys(damaged)


def test_a_certificate_need_not_be_readable(pem, certificate):
    (key,) = read_private_keys(pem)
    assert load_pem_x509_certificate(pem)
    assert key.belongs_to(b"\x30\x03" + certificate[100:])
