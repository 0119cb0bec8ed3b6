"""Domain fronting, credentials and clocks, in decrypted sessions of real endpoints and in exchanges made by hand."""

import datetime
import ssl
import tempfile
from pathlib import Path

import pytest
from conversations import CLIENT, SERVER, START, Flight, Tap, packetise
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from keyed import talk_of

from analyzer.application.conversation import Conversation
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog

NOW = START // 1_000_000_000
Found = dict[str, tuple[str, str]]


def server_for(*names: str) -> ssl.SSLContext:
    """A server whose certificate is valid for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    begin = datetime.datetime(2020, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=2040))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "server.pem")
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(pem)
    return context


def findings(script: list[Flight], server: ssl.SSLContext | None = None, keyed: bool = True) -> Found:
    """Severity and detail of the findings of this module by code, in a session with these requests and responses."""
    talk = talk_of(script, server_context=server)
    secrets = KeyLog()
    secrets.feed(talk.keylog.encode() if keyed else b"")
    tap = Tap()
    tap.engine = Engine(keylog=secrets, application=lambda alpn: Conversation(None))
    tap.feed(*packetise(talk.flights))
    (record,) = tap.records()
    codes = ("domain_fronting", "http_credentials", "clock_skew")
    return {one["code"]: (one["severity"], one["detail"]) for one in record["findings"] if one["code"] in codes}


def exchange(host: str = "example.test", path: str = "/", fields: str = "", answer: str = "") -> list[Flight]:
    """A request and its response."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"
    return [(CLIENT, request.encode()), (SERVER, f"HTTP/1.1 200 OK\r\n{answer}Content-Length: 0\r\n\r\n".encode())]


def date(seconds: int) -> str:
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"Date: {at:%a, %d %b %Y %H:%M:%S} GMT\r\n"


def test_an_ordinary_request_has_no_finding():
    assert findings(exchange(fields="Cookie: password=1\r\nUser-Agent: x\r\n", answer=date(NOW))) == {}


# Domain fronting; the server name is example.test.


def test_a_request_for_another_host_that_the_certificate_does_not_cover():
    severity, detail = findings(exchange("hidden.invalid"), server_for("example.test"))["domain_fronting"]
    assert severity == "low"
    assert '"hidden.invalid"' in detail


@pytest.mark.parametrize("host", ["example.test:443", "EXAMPLE.test", "www.example.test", "example.test."])
def test_another_form_or_a_sibling_of_the_same_name_is_calm(host: str):
    assert findings(exchange(host), server_for("example.test")) == {}


def test_a_host_that_the_certificate_covers_is_calm():
    assert findings(exchange("cdn.invalid"), server_for("example.test", "*.invalid", "cdn.invalid")) == {}


def test_without_names_in_the_certificate_it_is_only_said():
    severity, detail = findings(exchange("hidden.invalid"))["domain_fronting"]
    assert severity == "info"
    assert "not known" in detail


def test_without_secrets_nothing_is_said():
    assert findings(exchange("hidden.invalid", "/?password=1"), keyed=False) == {}


def test_a_proxy_request_names_its_target_and_not_its_server():
    script = [
        (CLIENT, b"CONNECT other.invalid:443 HTTP/1.1\r\nHost: other.invalid\r\n\r\n"),
        (SERVER, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"),
    ]
    assert findings(script, server_for("example.test")) == {}


# Credentials.


@pytest.mark.parametrize(
    ("fields", "path", "place"),
    [
        ("Authorization: Basic c2VjcmV0OnZhbHVl\r\n", "/", "Authorization with the scheme Basic"),
        ("authorization: bearer c2VjcmV0OnZhbHVl\r\n", "/", "Authorization with the scheme Bearer"),
        ("Proxy-Authorization: Basic c2VjcmV0OnZhbHVl\r\n", "/", "Proxy-Authorization with the scheme Basic"),
        ("", "/login?user=me&Password=c2VjcmV0OnZhbHVl", "query parameter password"),
        ("", "/?api_key=c2VjcmV0OnZhbHVl#top", "query parameter api_key"),
    ],
)
def test_credentials_are_flagged_and_not_shown(fields: str, path: str, place: str):
    severity, detail = findings(exchange(path=path, fields=fields))["http_credentials"]
    assert severity == "info"
    assert place in detail
    assert "c2VjcmV0" not in detail


@pytest.mark.parametrize("path", ["/password", "/?user=me", "/?password=", "/?passwords=1", "/?q=password"])
def test_what_only_looks_like_a_credential(path: str):
    assert findings(exchange(path=path)) == {}


# Clocks.


@pytest.mark.parametrize(("seconds", "side"), [(7200, "ahead of"), (-7200, "behind")])
def test_clocks_that_differ(seconds: int, side: str):
    severity, detail = findings(exchange(answer=date(NOW + seconds)))["clock_skew"]
    assert severity == "low"
    assert side in detail
    assert "7,200" in detail or "7,199" in detail or "7,201" in detail


@pytest.mark.parametrize(
    "answer",
    [
        date(NOW + 3000),
        date(NOW - 7200) + "Age: 7100\r\n",
        "Date: yesterday\r\n",
        "Date: Thu, 99 Foo 2023 99:99:99 GMT\r\n",
        "Date: 0\r\n",
    ],
)
def test_clocks_of_which_nothing_is_said(answer: str):
    assert findings(exchange(answer=answer)) == {}


def test_one_right_response_is_enough_for_a_right_clock():
    assert findings([*exchange(answer=date(NOW - 90_000)), *exchange(answer=date(NOW))]) == {}
