import pytest

from analyzer.secrets.decryption_error import MALFORMED, DecryptionError
from analyzer.secrets.psk_file import LARGEST_FILE, read_psks


def test_identities_as_text_with_blanks_and_in_hex():
    text = b"# of the laboratory\n\nClient_identity 00112233\r\nthe second one  ff\n0x00ff01 ABCD\n"
    assert read_psks(text) == {
        b"Client_identity": b"\x00\x11\x22\x33",
        b"the second one": b"\xff",
        b"\x00\xff\x01": b"\xab\xcd",
    }


def test_the_same_twice_is_once():
    assert read_psks(b"a 01\na 01\n") == {b"a": b"\x01"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a 01\nalone\n", "line 2: an identity and a key in hex are wanted"),
        (b"a secret", "line 1: the key is not hex"),
        (b"0xgg 01", "line 1: the identity is not hex"),
        (b"a 01\nb 02\na 03", "line 3: another key for an identity that has one"),
        (b"a " + b"00" * 65536, "line 1: a key of 65536 bytes"),
        (bytes(LARGEST_FILE + 1), f"more than {LARGEST_FILE} bytes are no file of pre-shared keys"),
    ],
)
def test_what_cannot_be_read_is_named_by_line_and_not_by_content(text, why):
    with pytest.raises(DecryptionError) as raised:
        read_psks(text)
    assert (raised.value.reason, raised.value.detail) == (MALFORMED, why)
