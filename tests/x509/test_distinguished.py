"""Names that are equal and names that are not, by RFC 5280, section 7.1."""

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hierarchy import tagged
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.der import encode_object_identifier
from analyzer.x509.distinguished import ATTRIBUTES, attributes, has_undecodable_unicode, name_key, relative_names, text

COMMON_NAME = encode_object_identifier("2.5.4.3")


def _content(*names: tuple[x509.ObjectIdentifier, str, _ASN1Type]) -> bytes:
    der = x509.Name([x509.NameAttribute(kind, value, form) for kind, value, form in names]).public_bytes()
    return der[2:] if der[1] < 0x80 else der[2 + (der[1] & 0x7F) :]


def _common(value: str, form: _ASN1Type = _ASN1Type.UTF8String) -> bytes:
    return _content((NameOID.COMMON_NAME, value, form))


def test_neither_case_nor_spaces_nor_the_kind_of_string_count() -> None:
    plain = name_key(_common("Example Authority"))
    assert name_key(_common("EXAMPLE  authority ")) == plain
    assert name_key(_common("Example Authority", _ASN1Type.PrintableString)) == plain
    assert name_key(_common("Example Authority", _ASN1Type.BMPString)) == plain
    assert name_key(_common("ExampleAuthority")) != plain
    assert name_key(_content((NameOID.ORGANIZATION_NAME, "Example Authority", _ASN1Type.UTF8String))) != plain


def test_strings_that_are_no_text() -> None:
    for tag, value, found in (
        (0x0C, b"\xc3\xa9", False), (0x0C, b"\xe9", True), (0x14, b"\xe9", False), (0x16, b"\xe9", False),
        (0x1E, b"\0a", False), (0x1E, b"\0a\0", True), (0x1E, b"\xd8\0\0a", True), (0x1C, b"\0\0\0a", False),
        (0x1C, b"\xff\0\0a", True),
    ):  # fmt: skip
        plain = tagged(0x30, tagged(6, bytes.fromhex("550403")) + tagged(tag, value))
        assert attributes(tagged(0x31, plain)) == [(tag, value)]
        assert has_undecodable_unicode(tagged(0x31, plain)) == found


def test_order_counts_between_sets_and_not_in_them() -> None:
    form = _ASN1Type.UTF8String
    a, b = (NameOID.COMMON_NAME, "a", form), (NameOID.ORGANIZATION_NAME, "b", form)
    assert name_key(_content(a, b)) != name_key(_content(b, a))
    one, other = (x509.NameAttribute(*a), x509.NameAttribute(*b)), (x509.NameAttribute(*b), x509.NameAttribute(*a))
    sets = [x509.Name([x509.RelativeDistinguishedName(order)]).public_bytes()[2:] for order in (one, other)]
    assert name_key(sets[0]) == name_key(sets[1])
    assert len(relative_names(_content(a, b))) == 2
    assert len(relative_names(sets[0])) == 1


def test_values_of_one_type() -> None:
    form = _ASN1Type.UTF8String
    content = _content(
        (NameOID.COMMON_NAME, "a", form), (NameOID.ORGANIZATION_NAME, "b", form), (NameOID.COMMON_NAME, "ü", form)
    )
    assert [text(*value) for value in attributes(content, COMMON_NAME)] == ["a", "ü"]
    assert text(0x1E, "ü".encode("utf-16-be")) == "ü"


def test_a_name_of_too_many_attributes_is_its_own_octets() -> None:
    content = _common("a") * (ATTRIBUTES + 1)
    assert name_key(content) == content
    assert relative_names(content) == ()
    assert len(attributes(content, COMMON_NAME)) == ATTRIBUTES


@given(st.binary(max_size=80))
def test_any_bytes_have_a_key(content: bytes) -> None:
    assert name_key(content) == name_key(bytes(content))
    attributes(content, COMMON_NAME)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30), st.text(max_size=30, min_size=1))
def test_keys_are_equal_exactly_when_the_names_are(one: str, other: str) -> None:
    def folded(value: str) -> str:
        return " ".join(value.split()).casefold()

    try:
        contents = _common(one), _common(other)
    except (ValueError, UnicodeEncodeError):
        return
    assert (name_key(contents[0]) == name_key(contents[1])) == (folded(one) == folded(other))
