"""Redaction: nothing of what is redacted is left in any form, what stays is as before, and equal values stay equal."""

import base64
import copy
import csv
import hashlib
import io
import json
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strict_schema import strict

from analyzer.analysis.preamble import entry
from analyzer.report.encoded_text import MASK, SHORTEST
from analyzer.report.forms import Forms
from analyzer.report.redaction import KINDS, Redactor, redact, redact_all
from analyzer.store.report_schema import REPORT

from .conftest import Facts

FORMS = ("json", "case", "stix", "html", "md", pytest.param("pdf", marks=pytest.mark.peer("pdftotext")))
"""The forms of a report."""

ADDRESS = "203.0.113.77"
ADDRESS6 = "2001:db8:99::77"
NAME = "secret-host.corp.example"
BASIC = base64.b64encode(b"alice:hunter2-long").decode()
COOKIE = "0123456789abcdefSESSION"


def spellings(value: str) -> Iterator[str]:
    """A value as itself, percent-encoded, in hexadecimal, and as the middle of base64 at each of its three places."""
    data = value.encode("utf-8")
    yield value
    yield "".join(f"%{byte:02X}" for byte in data)
    yield quote(value, safe="").replace(".", "%2E").replace("-", "%2D")
    yield data.hex()
    yield data.hex().upper()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode()
        yield encoded[(0, 2, 3)[before] : -4]


def left(text: str, *values: str) -> list[str]:
    """The spellings of values that are in a text, whatever their case, not as a part of a longer word or number."""
    lower = text.lower()
    written = [one for value in values for one in spellings(value) if len(one) > 5]
    return [one for one in written if re.search(rf"(?<![0-9a-z]){re.escape(one.lower())}(?![0-9a-z])", lower)]


def strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def addresses_of(facts: Facts) -> set[str]:
    """The addresses in the places where facts have some."""
    found = {host["address"] for host in facts["hosts"]}
    for session in facts["sessions"]["shown"]:
        found |= {session["client"]["address"], session["server"]["address"]}
    return found


def names_of(facts: Facts) -> set[str]:
    """The names in the places where facts have some."""
    found = {session["server_name"] for session in facts["sessions"]["shown"] if session["server_name"]}
    for one in facts["certificates"]:
        found |= set(one["names"] or ()) | set(re.findall(r"(?:CN|O)=([^,]+)", f"{one['subject']},{one['issuer']}"))
    return found


@pytest.fixture(scope="module")
def full_facts(demo_facts: Facts) -> Facts:
    """Facts of a capture in which everything that can be redacted stands in all kinds of places."""
    facts = copy.deepcopy(demo_facts)
    shown = facts["sessions"]["shown"]
    shown[0]["server_name"] = NAME
    shown[0]["server"]["address"] = ADDRESS6
    shown[0]["process"] = {"name": "curl", "pid": 1, "user": "alice-smith", "container": None}
    sizes = {"client": 30, "server": 0}
    proxied = {"authority": NAME, "ssl_cn": f"cn.{NAME}"}
    shown[0]["before"] = [
        entry("proxy", version="2", client={"address": ADDRESS, "port": 5}, details=proxied, bytes=sizes),
        entry("socks", version="5", target={"host": f"target.{NAME}", "port": 443}, user="bob-jones", bytes=sizes),
        entry("smtp", client_name="laptop.inside.example", server_name=f"mx.{NAME}", bytes=sizes),
    ]
    encoded = base64.b64encode(f"https://{NAME}/?from={ADDRESS}".encode()).decode()
    shown[0]["http"][0]["request"] |= {
        "authority": f"{NAME}:8443",
        "path": f"/go?to=https%3A%2F%2F{NAME.replace('.', '%2E')}%2F&ip={ADDRESS}&password=Tr0ub4dor&x={NAME.encode().hex()}",
        "headers": [
            ["Host", f"{NAME}:8443"],
            ["Authorization", f"Basic {BASIC}"],
            ["Cookie", f"visit={COOKIE}; theme=dark"],
            ["X-Forwarded-For", f"{ADDRESS}, 10.1.2.3"],
            ["Forwarded", f'for="[2001:DB8:99:0:0:0:0:77]:4711";host={NAME};proto=https'],
            ["Referer", f"https://alice:hunter2-long@other.corp.example/a?token=tok-123456&y={encoded}"],
            ["X-Device", "00:1A:2B:3C:4D:5E"],
        ],
    }
    shown[0]["http"][0]["response"]["headers"] = [["Set-Cookie", f"visit={COOKIE}; Domain={NAME}; Path=/; HttpOnly"]]
    facts["findings"][0]["occurrences"] += [
        {"session": 0, "frames": [1], "detail": f"{NAME} at [{ADDRESS6}]:443 and ::ffff:{ADDRESS}, not www.{NAME}."},
        {"session": 0, "frames": [2], "detail": f"the cookie {COOKIE} and alice-smith and {encoded} came back"},
        {"session": 0, "frames": [3], "detail": f"77.113.0.203.in-addr.arpa, ip-203-0-113-77, cb00714d, {'ab' * 32}"},
        {"session": 0, "frames": [3], "detail": f"certificate {facts['certificates'][0]['sha256'][:16]} again"},
    ]
    facts["evidence"]["inputs"][0]["comments"]["first"][0]["text"] = f"taken at {ADDRESS} ({NAME})"
    facts["evidence"]["inputs"][0]["interfaces"]["first"][0]["name"] = f"tun-{ADDRESS}"
    facts["command"] = ["report", "x.pcap", "--host", ADDRESS, "--host", NAME]
    facts["attachments"] = [
        {"name": "sessions.csv", "media_type": "text/csv", "size": 1, "sha256": "0" * 64, "description": "sessions", "rows": 2}
    ]
    return facts


TABLE = (
    "id,client_address,server_address,server_name,certificate_subject,certificate_subject_alt_names,certificate_sha256,process_user\r\n"
    f"0,192.0.2.10,{ADDRESS6},{NAME},CN={NAME},{NAME}; *.{NAME},{'cd' * 32},alice-smith\r\n"
    '1,192.0.2.99,192.0.2.98,only-here.example,"CN=only-here.example,O=Only Here",,,\r\n'
).encode()


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_left(full_facts: Facts, form: str) -> None:
    content = Forms(*redact_all(full_facts, {"sessions.csv": TABLE}, KINDS)).write(form)
    if form == "pdf":
        content = subprocess.run(["pdftotext", "-", "-"], input=content, check=True, capture_output=True).stdout
    written = content.decode("utf-8").replace("\\/", "/")
    assert "name-1.invalid" in written
    secrets = (
        BASIC,
        "alice:hunter2-long",
        "hunter2-long",
        COOKIE,
        "Tr0ub4dor",
        "tok-123456",
        "alice-smith",
        "bob-jones",
        "laptop",
    )
    macs = ("00:1A:2B:3C:4D:5E", "001a2b3c4d5e", "cb00714d", "203-0-113-77", "77.113.0.203")
    hashes = tuple(one["sha256"] for one in full_facts["certificates"])
    found = (*addresses_of(full_facts), *names_of(full_facts), ADDRESS, ADDRESS6, "2001:db8:99:0:0:0:0:77", "10.1.2.3")
    assert left(written, *secrets, *macs, *hashes, *found, "other.corp.example", f"www.{NAME}") == []
    assert "corp.example" not in written
    assert "ab" * 32 not in written


def test_hidden_spellings_are_found_without_redaction(full_facts: Facts) -> None:
    """The search itself works: what it does not find after redaction it finds before."""
    written = json.dumps(full_facts)
    for value in (NAME, ADDRESS, ADDRESS6, BASIC, COOKIE, "Tr0ub4dor"):
        assert left(written, value)
    assert NAME.encode().hex() in left(written, NAME)
    assert any(
        "%2E" in one for one in left(json.dumps({"x": quote(NAME, safe="").replace(".", "%2E").replace("-", "%2D")}), NAME)
    )


def test_equal_values_have_equal_pseudonyms(full_facts: Facts) -> None:
    redacted = redact(full_facts, KINDS)
    session = redacted["sessions"]["shown"][0]
    name = session["server_name"]
    assert re.fullmatch(r"name-\d+\.invalid", name)
    request = session["http"][0]["request"]
    assert request["authority"] == f"{name}:8443"
    headers = dict(request["headers"])
    assert headers["Host"] == f"{name}:8443"
    server = session["server"]["address"]
    assert headers["Forwarded"] == f'for="[{server}]:4711";host={name};proto=https'
    details = [one["detail"] for one in redacted["findings"][0]["occurrences"]]
    address = headers["X-Forwarded-For"].split(",")[0]
    other = re.search(r"not (name-\d+\.invalid)\.", details[-4])
    assert other is not None
    assert other[1] != name
    assert details[-4] == f"{name} at [{server}]:443 and {address}, not {other[1]}."
    assert details[-2].startswith(f"{address}.in-addr.arpa, ip-{address}, {address}, certificate-")
    assert details[-1] == f"certificate {redacted['certificates'][0]['sha256']} again"
    assert redacted["command"][2:] == ["--host", address, "--host", name]
    assert redacted["evidence"]["inputs"][0]["interfaces"]["first"][0]["name"] == f"tun-{address}"
    encoded = re.search(r"&y=(\S+)", headers["Referer"])
    assert encoded is not None
    assert base64.b64decode(encoded[1]).decode() == f"https://{name}/?from={address}"


def test_names_of_cookies_and_schemes_stay(full_facts: Facts) -> None:
    exchange = redact(full_facts, KINDS)["sessions"]["shown"][0]["http"][0]
    headers = dict(exchange["request"]["headers"])
    assert headers["Authorization"] == "Basic [redacted]"
    assert headers["Cookie"] == "visit=[redacted]; theme=[redacted]"
    assert headers["Referer"].startswith("https://[redacted]@name-")
    assert "?token=[redacted]&y=" in headers["Referer"]
    assert "&password=[redacted]&" in exchange["request"]["path"]
    name = redact(full_facts, KINDS)["sessions"]["shown"][0]["server_name"]
    assert exchange["response"]["headers"] == [["Set-Cookie", f"visit=[redacted]; Domain={name}; Path=/; HttpOnly"]]


def test_what_is_not_redacted_stays(full_facts: Facts) -> None:
    redacted = redact(full_facts, KINDS)
    for key in ("format", "tool", "traffic", "timeline", "n_hosts"):
        if key != "traffic":
            assert redacted[key] == full_facts[key], key
    assert redacted["traffic"]["series"] == full_facts["traffic"]["series"]
    assert redacted["evidence"]["inputs"][0]["sha256"] == full_facts["evidence"]["inputs"][0]["sha256"]
    for before, after in zip(full_facts["sessions"]["shown"], redacted["sessions"]["shown"], strict=True):
        for key in (
            "id",
            "first_frame",
            "start_time",
            "end_time",
            "version",
            "cipher_suite",
            "ja3",
            "ja4",
            "handshake",
            "alerts",
        ):
            assert after[key] == before[key]
        assert after["client"]["port"] == before["client"]["port"]
        assert after["chain"]["verdict"] == before["chain"]["verdict"]
        assert [one["response"]["body_length"] for one in after["http"]] == [
            one["response"]["body_length"] for one in before["http"]
        ]
        assert {one["response"]["body_sha256"] for one in after["http"]} <= {None}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone(full_facts: Facts, kind: str) -> None:
    written = json.dumps(redact(full_facts, (kind,)))
    seen = {
        "bodies": full_facts["sessions"]["shown"][0]["http"][0]["response"]["body_sha256"],
        "cookies": COOKIE,
        "credentials": BASIC,
        "addresses": ADDRESS,
        "names": NAME,
    }
    assert {one for one, value in seen.items() if value not in written} == {kind}


def test_pseudonyms_are_numbered_as_they_appear(demo_facts: Facts) -> None:
    written = json.dumps(redact(demo_facts, KINDS))
    for pattern in (r"host-(\d+)", r"name-(\d+)\.invalid", r"certificate-(\d+)"):
        numbers = [int(number) for number in dict.fromkeys(re.findall(pattern, written))]
        assert numbers[:2] == [1, 2]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_same_facts_give_the_same(full_facts: Facts) -> None:
    before = json.dumps(full_facts)
    assert json.dumps(redact(full_facts, KINDS)) == json.dumps(redact(copy.deepcopy(full_facts), list(reversed(KINDS))))
    assert json.dumps(full_facts) == before


def test_tables_have_the_same_pseudonyms(full_facts: Facts) -> None:
    facts, tables = redact_all(full_facts, {"sessions.csv": TABLE}, KINDS)
    content = tables["sessions.csv"]
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    session = facts["sessions"]["shown"][0]
    assert rows[0]["server_address"] == session["server"]["address"]
    assert rows[0]["server_name"] == session["server_name"]
    assert rows[0]["certificate_subject"] == f"CN={session['server_name']}"
    assert rows[0]["certificate_subject_alt_names"] == f"{session['server_name']}; *.{session['server_name']}"
    assert rows[0]["process_user"] == session["process"]["user"]
    assert {session["process"]["user"], session["before"][1]["user"]} == {"user-1", "user-2"}
    assert rows[0]["certificate_sha256"].startswith("certificate-")
    assert left(content.decode(), "only-here.example", "Only Here", "192.0.2.99", NAME, "alice-smith") == []
    assert facts["attachments"][0]["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["attachments"][0]["size"] == len(content)


def test_redacted_facts_are_what_the_schema_declares(full_facts: Facts) -> None:
    jsonschema.validate(redact(full_facts, KINDS), strict(REPORT))


def test_values_that_only_a_second_opinion_has_are_masked(full_facts: Facts) -> None:
    one = {"capture": "a.pcap", "session": None, "frame": 7, "field": "server_name", "ours": None, "reason": None}
    opinion = {"captures": ["a.pcap"], "differences": [{**one, "tshark": "only-tshark.example"}]}
    redacted = redact({**full_facts, "crosscheck": opinion}, ("names",))
    (told,) = redacted["crosscheck"]["differences"]
    assert (told["ours"], told["tshark"], told["frame"]) == (None, MASK, 7)
    assert "only-tshark" not in json.dumps(redacted)


def test_without_kinds_nothing_changes(full_facts: Facts) -> None:
    assert redact(full_facts, ()) == full_facts


def test_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="'faces' cannot be redacted; it is one of bodies, cookies"):
        Redactor(("names", "faces"))


def test_counts_are_in_the_facts(full_facts: Facts) -> None:
    redacted = redact(full_facts, ("addresses", "names"))
    told = redacted["redaction"]
    assert told["kinds"] == ["addresses", "names"]
    assert told["addresses"] == len(set(re.findall(r"host-\d+", json.dumps(redacted))))
    assert told["secrets"] == 0


LABEL = st.from_regex(r"[a-z][a-z0-9]{3,12}(-[a-z0-9]{2,6})?", fullmatch=True)
HOST = st.builds(lambda first, second: f"{first}.{second}.example", LABEL, LABEL)
V4 = st.ip_addresses(v=4).map(str).filter(lambda one: one != "0.0.0.0")
V6 = st.ip_addresses(v=6).filter(lambda one: int(one) >= 1 << 80).map(str).filter(lambda one: len(one) >= SHORTEST)
AROUND = st.sampled_from(["{}", "at {}.", "({})", "x={};", "//{}/p", "“{}”", "[{}]", "{}:443", "a,{},b", "<{}>", "{}…", "'{}'"])


@settings(max_examples=200, deadline=None)
@given(HOST, V4, V6, AROUND, st.integers(0, 7), st.text(max_size=20))
def test_no_spelling_of_a_value_is_left(host: str, v4: str, v6: str, around: str, spelling: int, noise: str) -> None:
    facts: Facts = {"sessions": {"shown": [{"server_name": host, "client": {"address": v4}, "server": {"address": v6}}]}}
    for value in (host, v4, v6):
        written = list(spellings(value))[min(spelling, 4)]  # of base64 only whole runs are a spelling of a text
        encoded = base64.b64encode(value.encode()).decode() if spelling > 4 else written
        facts[value] = {"detail": around.format(encoded) + noise, "lines": [[noise, around.format(encoded)]]}
    facts = {"facts": list(facts.values())}
    written = " ".join(strings(redact(facts, KINDS)))
    assert left(written, host) == []
    assert left(written, v4) == []
    assert left(written, v6) == []


def test_a_name_that_is_counted_as_a_protocol_is_replaced() -> None:
    """What an endpoint writes as its protocol (ALPN) is a key of the counts, and any text."""
    facts = {"sessions": {"alpn": {"intranet": 1, "h2": 2}, "shown": [{"server_name": "intranet", "alpn": "intranet"}]}}
    redactor = Redactor(["names"])
    redactor.learn(facts)
    assert redactor.value(facts) == {
        "sessions": {
            "alpn": {"name-1.invalid": 1, "h2": 2},
            "shown": [{"server_name": "name-1.invalid", "alpn": "name-1.invalid"}],
        }
    }


@pytest.mark.parametrize("text", ["A" * 60_000 + "%", "A" * 60_000 + "@é.", "A" * 60_000 + ",=", "1." * 30_000 + "%"])
def test_giant_words_take_no_more_time_than_they_are_long(text: str) -> None:
    redactor = Redactor(KINDS)
    facts = {"server_name": "www.a.example", "subject": text, "path": text, "detail": text, "host": text}
    began = time.process_time()
    redactor.learn(facts)
    redactor.value(facts)
    assert time.process_time() - began < 10
