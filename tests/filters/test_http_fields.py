"""The fields of HTTP: in the frames and with the values that tshark has, in plaintext, decrypted, and of HTTP/2."""

import pytest

from analyzer.application.body import Bodies, Body
from analyzer.application.exchange import Exchange, Response
from analyzer.filters.capture_facts import CaptureFacts
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_view import FrameView
from analyzer.filters.http_fields import HttpFields
from analyzer.filters.value_strings import rows
from analyzer.store.chain_verdicts import NO_VERDICTS
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_field_table import listed

NOT_COMPARED = {"http.request.line", "http.response.line", "http.request.uri", "http.request.full_uri"}
"""tshark 4.0 prints line ends escaped, and has the URI of a response under another name."""


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", ["tls13-rsa", "http-connect"])
def test_http_fields_have_the_values_that_tshark_reads(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    keys = next((repository / "captures" / name).glob("*.keys"), None)
    names = [row["name"] for row in rows("http_fields") if row["name"].startswith("http.")]
    fields = [field for field in fields_of(*names) if field.name in listed("tshark") and field.name not in NOT_COMPARED]
    fields = [field for field in fields if field.type is not FieldType.PROTOCOL]
    ours, theirs = readings(path, fields, keys, engine=True), tshark_readings(path, fields, keys)
    n_values = 0
    for number, (own, other) in enumerate(zip(ours, theirs, strict=True), 1):
        differ = {field.name: (a, b) for field, a, b in zip(fields, own, other, strict=True) if a != b}
        assert not differ, f"frame {number}"
        n_values += sum(map(len, own))
    assert n_values > 10


def test_a_request_and_its_response_have_the_same_url(repository):
    path = repository / "captures/demo.pcapng"
    url, method, status = fields_of("http.request.full_uri", "http.request.method", "http.response.code")
    found = [values for values in readings(path, [url, method, status], engine=True) if values[0]]
    assert found[0] == [["http://www.shop.example/"], ["GET"], []]
    assert found[1][0] == ["http://www.shop.example/"]
    assert found[1][2] == [301]


def test_header_sections_of_http2_are_fields(repository):
    path = repository / "captures/curl-nginx-http2/curl-nginx-http2.pcap"
    (keys,) = path.parent.glob("*.keys")
    fields = fields_of("http2.headers.method", "http2.headers.path", "http2.headers.status", "http2.streamid", "http2")
    found = [values for values in readings(path, fields, keys, engine=True) if values[0] or values[2]]
    assert found[0][:2] == [["GET"], [found[0][1][0]]]
    assert any(values[2] == [200] for values in found)
    assert all(values[3] and values[4] for values in found)


def test_a_status_that_is_not_known_is_no_header():
    body = Body(Bodies(False, lambda *_: None), None, None)
    view = FrameView(None, CaptureFacts(NO_VERDICTS))
    view.frame.number = 7
    assert view.facts is not None
    view.facts.sections[7] = [(Exchange(None, Response(None, None, "2", 7, 7, body)), True)]
    assert not [name for name in HttpFields().find(view) if name.startswith("http2.header")]


def test_a_field_line_that_is_named_status_is_no_status():
    body = Body(Bodies(False, lambda *_: None), None, None)
    view = FrameView(None, CaptureFacts(NO_VERDICTS))
    view.frame.number = 7
    assert view.facts is not None
    response = Response(200, [("status", "9" * 5000)], "2", 7, 7, body)
    view.facts.sections[7] = [(Exchange(None, response), True)]
    assert [one.value for one in HttpFields().find(view)["http2.headers.status"]] == [200]
