"""Order and number of the messages of one role: legal sequences, every doubled and every left out message, and losses."""

import pytest

from analyzer.tls.handshake.message_order import Fault, Kind, message_name, out_of_order, sequence
from analyzer.tls.handshake.states import CHANGE_SENT, DATA_SENT, EMPTY_CERTIFICATE, LOST, State

HR, CH, SH, NST, EOED, RETRY, EE, CERT, SKE, CR, DONE, CV, CKE, FIN = 0, 1, 2, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20
STATUS, KU, PACKED = 22, 24, 25
CCS = CHANGE_SENT
CLIENT, SERVER = 0, 1

KINDS = {"1.2": Kind(False, 0x0303, None), "1.3": Kind(True, 0x0304, None), "3.0": Kind(False, 0x0300, None)}

LEGAL = [
    ("1.2", CLIENT, [CH, CKE, CCS, FIN]),
    ("1.2", CLIENT, [CH, CERT, CKE, CV, CCS, FIN]),
    ("1.2", CLIENT, [CH, EMPTY_CERTIFICATE, CKE, CCS, FIN]),
    ("1.2", CLIENT, [CH, CCS, FIN]),
    ("1.2", SERVER, [SH, CERT, DONE, CCS, FIN]),
    ("1.2", SERVER, [SH, CERT, STATUS, SKE, CR, DONE, NST, CCS, FIN]),
    ("1.2", SERVER, [SH, NST, CCS, FIN]),
    ("1.2", SERVER, [HR, SH, HR, CERT, SKE, HR, DONE, CCS, FIN, HR]),
    ("1.3", CLIENT, [CH, CH, FIN]),
    ("1.3", CLIENT, [CH, EOED, CERT, CV, FIN]),
    ("1.3", SERVER, [RETRY, SH, EE, CR, CERT, CV, FIN]),
    ("1.3", SERVER, [SH, EE, PACKED, CV, FIN]),
    ("1.3", SERVER, [SH, EE, FIN]),
]


def found(version: str, role: int, sent: list[int], origin: State = State.START) -> list[Fault]:
    return list(out_of_order(sequence(role, origin, bytes(sent)), KINDS[version]))


@pytest.mark.parametrize(("version", "role", "sent"), LEGAL)
def test_a_legal_sequence_has_no_fault_wherever_it_ends_and_whatever_is_lost(version: str, role: int, sent: list[int]):
    for end in range(len(sent) + 1):
        assert found(version, role, sent[:end]) == []
        for lost in range(end):
            assert found(version, role, [*sent[:lost], LOST, *sent[end:]]) == []


@pytest.mark.parametrize(("version", "role", "sent"), LEGAL)
def test_a_message_sent_again_is_named_with_its_place(version: str, role: int, sent: list[int]):
    for place, number in enumerate(sent):
        if number in (HR, CH, CCS, FIN):  # may come again, or begin another handshake
            continue
        (fault,) = found(version, role, [*sent[: place + 1], number, *sent[place + 1 :]])
        assert (fault.code, fault.role, fault.place) == ("repeated_message", role, place + 1)
        shown = message_name(CERT if number == EMPTY_CERTIFICATE else number)
        assert f"sent {shown} twice in one handshake" in fault.detail
        proves = number in (CERT, EMPTY_CERTIFICATE, PACKED, SKE, CV)
        assert (fault.severity == "high", fault.doubt) == (
            proves or number in (DONE, CKE),
            f"it sent {shown} twice" if proves else "",
        )


@pytest.mark.parametrize(
    ("version", "role", "sent", "lacking", "place", "severity"),
    [
        ("1.3", SERVER, [SH, EE, CERT, FIN], "CertificateVerify", 3, "high"),
        ("1.3", SERVER, [SH, CERT, CV, FIN], "EncryptedExtensions", 1, "medium"),
        ("1.3", SERVER, [EE, CERT, CV, FIN], "ServerHello", 0, "medium"),
        ("1.3", SERVER, [SH, EE, CV, FIN], "Certificate", 2, "high"),
        ("1.2", SERVER, [SH, CERT, SKE, DONE, FIN], "ChangeCipherSpec", 4, "high"),  # SKIP-TLS
        ("1.2", SERVER, [SH, CERT, CCS, FIN], "ServerHelloDone", 2, "high"),
        ("1.2", CLIENT, [CH, CERT, CCS, FIN], "ClientKeyExchange", 2, "high"),
        ("1.2", CLIENT, [CH, CKE, FIN], "ChangeCipherSpec", 2, "high"),
    ],
)
def test_a_message_that_is_left_out_is_named(version: str, role: int, sent: list[int], lacking: str, place: int, severity: str):
    (fault,) = found(version, role, sent)
    assert (fault.code, fault.severity, fault.place) == ("message_missing", severity, place)
    assert f"without {lacking} before it" in fault.detail


@pytest.mark.parametrize(
    ("version", "role", "sent", "place", "shown", "severity"),
    [
        ("1.3", SERVER, [SH, EE, CV, CERT, FIN], 2, "CertificateVerify after EncryptedExtensions", "high"),
        ("1.3", SERVER, [SH, EE, CERT, CV, DONE, FIN], 4, "ServerHelloDone after CertificateVerify", "medium"),
        ("1.3", SERVER, [SH, EE, 99, CERT, CV, FIN], 2, "a message of the unknown type 99 after", "medium"),
        ("1.3", SERVER, [SH, EE, NST, CERT, CV, FIN], 2, "NewSessionTicket after EncryptedExtensions", "medium"),
        ("1.3", CLIENT, [CH, DATA_SENT, FIN], 1, "application data after ClientHello", "medium"),
        ("1.3", CLIENT, [CH, CV, CERT, FIN], 1, "CertificateVerify after ClientHello", "high"),
        ("1.2", SERVER, [SH, SKE, CERT, DONE, CCS, FIN], 2, "Certificate after ServerKeyExchange", "high"),
        ("1.2", SERVER, [SH, CERT, DONE, SKE, CCS, FIN], 3, "ServerKeyExchange after ServerHelloDone", "high"),
        ("1.2", CLIENT, [CH, CKE, CERT, CV, CCS, FIN], 2, "Certificate after ClientKeyExchange", "high"),
        ("1.2", CLIENT, [CH, DONE], 1, "ServerHelloDone after ClientHello", "medium"),
        ("3.0", CLIENT, [CH, CKE, CCS, DATA_SENT, FIN], 3, "application data after ChangeCipherSpec", "medium"),
    ],
)
def test_a_message_in_the_wrong_place_is_named_once(
    version: str, role: int, sent: list[int], place: int, shown: str, severity: str
):
    (fault,) = found(version, role, sent)
    assert (fault.code, fault.severity, fault.place) == ("unexpected_message", severity, place)
    assert f" sent {shown}" in fault.detail
    assert "expected there: " in fault.detail
    assert {"1.2": "RFC 5246", "1.3": "RFC 9846", "3.0": "RFC 6101"}[version] in fault.detail


def test_the_first_message_of_a_role():
    (fault,) = found("1.2", CLIENT, [FIN, CKE])
    assert (fault.code, fault.place) == ("message_missing", 0)
    (fault,) = found("1.2", CLIENT, [DONE])
    assert "sent ServerHelloDone first; expected there: ClientHello" in fault.detail


def test_after_the_handshake():
    assert found("1.3", CLIENT, [CERT, CV, FIN, KU, EMPTY_CERTIFICATE, FIN], State.CONNECTED) == []
    assert found("1.3", SERVER, [CR, NST, KU, CR], State.CONNECTED) == []
    (again,) = found("1.3", CLIENT, [FIN], State.CONNECTED)
    assert again.code == "repeated_message"
    (data,) = found("1.3", CLIENT, [CERT, CV, DATA_SENT], State.CONNECTED)
    assert (data.code, data.place) == ("unexpected_message", 2)


def test_a_capture_that_begins_late_shows_what_came_twice_and_not_what_is_missing():
    for sent in ([CERT, DONE], [DONE, CCS], [FIN]):
        assert list(out_of_order(sequence(SERVER, State.START, bytes(sent), begins=False), KINDS["1.2"])) == []
    late = sequence(SERVER, State.START, bytes([CERT, CERT, DONE]), begins=False)
    assert late.n_known == 0
    assert [fault.code for fault in out_of_order(late, KINDS["1.2"])] == ["repeated_message"]
    assert found("1.2", SERVER, [LOST, CERT, DONE]) == []


def test_names_are_those_of_the_rfcs():
    names = [message_name(number) for number in (CH, NST, CV, PACKED, KU, 256, 257, 99)]
    assert names[:4] == ["ClientHello", "NewSessionTicket", "CertificateVerify", "CompressedCertificate"]
    assert names[4:] == ["KeyUpdate", "ChangeCipherSpec", "application data", "a message of the unknown type 99"]
