"""What single messages say about their session, and that damaged ones say nothing."""

import pytest
from conversations import talk

from analyzer.codec.runner import read
from analyzer.codec.trouble import Incomplete, Malformed
from analyzer.tls import learn
from analyzer.tls.messages.certificate import Certificate
from analyzer.tls.messages.hello import ClientHello, ServerHello

HELLO = talk("TLSv1_3")[0][1][9:]
ANSWER = talk("TLSv1_3")[1][1]
ANSWER = ANSWER[9 : 9 + int.from_bytes(ANSWER[6:9], "big")]


def decoded(table, data, short=Malformed):
    return read(table, data, 0, len(data), 0, short)[0]


def test_a_client_hello():
    hello = decoded(ClientHello, HELLO)
    assert learn.server_name(hello) == b"example.test"
    assert learn.alpn(hello) is None
    assert not learn.offered_ticket(hello)


def test_a_server_hello():
    answer = decoded(ServerHello, ANSWER)
    assert learn.selected_version(answer) == 0x0304
    assert learn.selected_group(answer) == 29
    assert learn.alpn(answer) is None


@pytest.mark.parametrize("number", [0x0304, 0x7F12, 0x7F1C, 0x7E02])
def test_versions_of_tls_1_3(number):
    assert learn.is_tls13(number)


@pytest.mark.parametrize("number", [0, 0x0002, 0x0300, 0x0303, 0x0305])
def test_versions_before(number):
    assert not learn.is_tls13(number)


def test_certificates_and_what_is_cut_off():
    body = b"\0\0\x0a" + b"\0\0\2ab" + b"\0\0\2cd"
    assert learn.certificate_list(decoded(Certificate, body)) == [b"ab", b"cd"]
    for n_bytes in range(len(body)):
        listed = learn.certificate_list(decoded(Certificate, body[:n_bytes], Incomplete))
        assert listed is None or all(isinstance(der, bytes) for der in listed)


@pytest.mark.parametrize(("table", "data"), [(ClientHello, HELLO), (ServerHello, ANSWER)])
def test_nothing_damaged_raises(table, data):
    for position in range(len(data)):
        for broken in (data[:position], data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]):
            body = decoded(table, broken)
            assert learn.selected_version(body) >= 0
            assert learn.selected_group(body) >= -1
            assert learn.exchanged_group(body) == -1
            for found in (learn.server_name(body), learn.alpn(body)):
                assert found is None or isinstance(found, bytes)
            learn.offered_ticket(body)
