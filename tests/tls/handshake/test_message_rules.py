"""The rules about messages of both roles: legal handshakes of every key exchange, and each rule broken."""

from dataclasses import replace
from typing import Any

import pytest

from analyzer.tls.handshake.message_order import Fault, Kind, sequence
from analyzer.tls.handshake.message_rules import faults
from analyzer.tls.handshake.states import CHANGE_SENT, DATA_SENT, EMPTY_CERTIFICATE, LOST, State
from analyzer.tls.suites import read_name

HR, CH, SH, NST, EOED, RETRY, EE, CERT, SKE, CR, DONE, CV, CKE, FIN = 0, 1, 2, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20
STATUS, KU, PACKED, URL = 22, 24, 25, 21
CCS, NONE = CHANGE_SENT, EMPTY_CERTIFICATE
HIGH = "high"

C12 = [CH, CKE, CCS, FIN]
S12 = [SH, CERT, SKE, DONE, CCS, FIN]
C13, S13 = [CH, FIN], [SH, EE, CERT, CV, FIN]


def kind12(name: str = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", **changes: Any) -> Kind:
    known = Kind(False, 0x0303, read_name(name), offered=(5, 35), answered=())
    return replace(known, **changes)


def kind13(**changes: Any) -> Kind:
    return replace(Kind(True, 0x0304, read_name("TLS_AES_128_GCM_SHA256"), (10, 13, 43, 51), (43, 51), ()), **changes)


def found(kind: Kind, client: list[int], server: list[int], origin: State = State.START) -> list[Fault]:
    return faults(sequence(0, origin, bytes(client)), sequence(1, origin, bytes(server)), kind)


LEGAL_12 = {
    "ECDHE": (kind12(), C12, S12),
    "DHE_DSS": (kind12("TLS_DHE_DSS_WITH_AES_128_CBC_SHA"), C12, S12),
    "RSA": (kind12("TLS_RSA_WITH_AES_128_CBC_SHA"), C12, [SH, CERT, DONE, CCS, FIN]),
    "RSA for export": (kind12("TLS_RSA_EXPORT_WITH_RC4_40_MD5"), C12, S12),
    "DH": (kind12("TLS_DH_RSA_WITH_AES_128_CBC_SHA"), C12, [SH, CERT, DONE, CCS, FIN]),
    "anonymous": (kind12("TLS_ECDH_anon_WITH_AES_128_CBC_SHA"), C12, [SH, SKE, DONE, CCS, FIN]),
    "PSK": (kind12("TLS_PSK_WITH_AES_128_CBC_SHA"), C12, [SH, DONE, CCS, FIN]),
    "PSK with a hint": (kind12("TLS_PSK_WITH_AES_128_CBC_SHA"), C12, [SH, SKE, DONE, CCS, FIN]),
    "DHE_PSK": (kind12("TLS_DHE_PSK_WITH_AES_128_CBC_SHA"), C12, [SH, SKE, DONE, CCS, FIN]),
    "RSA_PSK": (kind12("TLS_RSA_PSK_WITH_AES_128_CBC_SHA"), C12, [SH, CERT, DONE, CCS, FIN]),
    "SRP": (kind12("TLS_SRP_SHA_WITH_AES_128_CBC_SHA"), C12, [SH, SKE, DONE, CCS, FIN]),
    "SRP with RSA": (kind12("TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA"), C12, S12),
    "Kerberos": (kind12("TLS_KRB5_WITH_RC4_128_SHA"), C12, [SH, DONE, CCS, FIN]),
    "a client with a certificate": (kind12(), [CH, CERT, CKE, CV, CCS, FIN], [SH, CERT, SKE, CR, DONE, CCS, FIN]),
    "a client without one": (kind12(), [CH, NONE, CKE, CCS, FIN], [SH, CERT, SKE, CR, DONE, CCS, FIN]),
    "a client with the URL of one": (kind12(), [CH, URL, CKE, CV, CCS, FIN], [SH, CERT, SKE, CR, DONE, CCS, FIN]),
    "a key in the certificate of the client": (
        kind12("TLS_DH_RSA_WITH_AES_128_CBC_SHA"), [CH, CERT, CKE, CCS, FIN], [SH, CERT, CR, DONE, CCS, FIN],
    ),
    "a client of SSL 3.0 without one": (kind12(version=0x0300), C12, [SH, CERT, SKE, CR, DONE, CCS, FIN]),
    "a status": (kind12(answered=(5,)), C12, [SH, CERT, STATUS, SKE, DONE, CCS, FIN]),
    "a ticket": (kind12(answered=(35,)), C12, [SH, CERT, SKE, DONE, NST, CCS, FIN]),
    "a session resumed": (kind12(resumable=True), [CH, CCS, FIN], [SH, CCS, FIN]),
    "a session resumed, with a new ticket": (kind12(resumable=True, answered=(35,)), [CH, CCS, FIN], [SH, NST, CCS, FIN]),
    "it is not known whether it was offered": (kind12(resumable=None), [CH, CCS, FIN], [SH, CCS, FIN]),
    "false start, and HelloRequest": (kind12(), C12, [*S12, HR]),
    "the client gave up": (kind12(), [CH], [SH, CERT, SKE, DONE]),
    "a suite that is not known": (Kind(False, 0x0303, None), C12, [SH, DONE, CCS, FIN]),
}  # fmt: skip

LEGAL_13 = {
    "full": (kind13(), C13, S13),
    "with a retry": (kind13(), [CH, CH, FIN], [RETRY, *S13]),
    "a pre-shared key": (kind13(answered=(41, 43)), C13, [SH, EE, FIN]),
    "a pre-shared key with a certificate": (kind13(answered=(33, 41, 43)), C13, S13),
    "early data": (kind13(answered=(41, 43), agreed=(42,)), [CH, EOED, FIN], [SH, EE, FIN]),
    "a client with a certificate": (kind13(), [CH, CERT, CV, FIN], [SH, EE, CR, CERT, CV, FIN]),
    "a client without one": (kind13(), [CH, NONE, FIN], [SH, EE, CR, CERT, CV, FIN]),
    "a compressed certificate": (kind13(offered=(27, 43)), C13, [SH, EE, PACKED, CV, FIN]),
    "application settings": (kind13(agreed=(17613,)), [CH, EE, FIN], S13),
    "hellos that are hidden": (kind13(offered=None, answered=None), C13, [SH, EE, PACKED, CV, FIN]),
}


@pytest.mark.parametrize("name", [*LEGAL_12, *LEGAL_13])
def test_what_the_rfcs_allow_has_no_fault_wherever_it_ends_and_whatever_is_lost(name: str):
    kind, client, server = (LEGAL_12 | LEGAL_13)[name]
    assert found(kind, client, server) == []
    for n in range(len(client) + 1):
        assert found(kind, client[:n], server) == []
        assert found(kind, [*client[:n], LOST, *client[n + 1 :]], server) == []
    for n in range(len(server) + 1):
        ends = [one for one in found(kind, client, server[:n]) if n < len(server)]
        assert ends == []
        assert found(kind, client, [*server[:n], LOST, *server[n + 1 :]]) == []


BROKEN_12 = [
    (kind12(), C12, [SH, CERT, DONE, CCS, FIN], 1, "message_missing", HIGH, "no ServerKeyExchange"),
    (kind12("TLS_DHE_PSK_WITH_AES_128_CBC_SHA"), C12, [SH, DONE, CCS, FIN], 1, "message_missing", HIGH, "no ServerKeyExchange"),
    (kind12(), C12, [SH, SKE, DONE, CCS, FIN], 1, "message_missing", HIGH, "no Certificate"),
    (kind12(), C12, [SH, NONE, SKE, DONE, CCS, FIN], 1, "message_missing", HIGH, "no Certificate"),
    (kind12("TLS_RSA_WITH_AES_128_CBC_SHA"), C12, S12, 1, "unexpected_message", HIGH, "sent ServerKeyExchange"),  # FREAK
    (kind12("TLS_DH_anon_WITH_AES_128_CBC_SHA"), C12, S12, 1, "unexpected_message", HIGH, "sent Certificate"),
    (
        kind12("TLS_DH_anon_WITH_AES_128_CBC_SHA"), [CH, NONE, CKE, CCS, FIN], [SH, SKE, CR, DONE, CCS, FIN], 1,
        "unexpected_message", "medium", "sent CertificateRequest",
    ),
    (kind12(), [CH, CERT, CKE, CV, CCS, FIN], S12, 0, "unexpected_message", "medium", "sent Certificate"),
    (kind12(), C12, [SH, CERT, SKE, CR, DONE, CCS, FIN], 0, "message_missing", "medium", "no Certificate"),
    (
        kind12(), [CH, CERT, CKE, CCS, FIN], [SH, CERT, SKE, CR, DONE, CCS, FIN], 0, "message_missing", HIGH,
        "no CertificateVerify",
    ),
    (
        kind12(), [CH, NONE, CKE, CV, CCS, FIN], [SH, CERT, SKE, CR, DONE, CCS, FIN], 0, "unexpected_message", HIGH,
        "sent CertificateVerify, although it sent no certificate",
    ),
    (kind12(), [CH, CCS, FIN], S12, 0, "message_missing", HIGH, "no ClientKeyExchange"),  # CVE-2014-0224
    (kind12(), C12, [SH, CCS, FIN], 1, "message_missing", HIGH, "no ServerHelloDone"),
    (kind12(resumable=False), [CH, CCS, FIN], [SH, CCS, FIN], 1, "message_missing", HIGH, "no ServerHelloDone"),
    (kind12(), C12, [SH, CERT, STATUS, SKE, DONE, CCS, FIN], 1, "unexpected_message", "medium", "sent CertificateStatus"),
    (
        kind12(offered=(), answered=(5,)), C12, [SH, CERT, STATUS, SKE, DONE, CCS, FIN], 1, "unexpected_message", "medium",
        "sent CertificateStatus",
    ),
    (kind12(), C12, [SH, CERT, SKE, DONE, NST, CCS, FIN], 1, "unexpected_message", "medium", "sent NewSessionTicket"),
    (kind12(answered=(35,)), C12, S12, 1, "message_missing", "medium", "no NewSessionTicket"),
]  # fmt: skip

BROKEN_13 = [
    (kind13(), C13, [SH, EE, FIN], 1, "message_missing", HIGH, "no Certificate"),
    (kind13(), C13, [SH, EE, NONE, CV, FIN], 1, "message_missing", HIGH, "no Certificate"),
    (kind13(answered=(41,)), C13, S13, 1, "unexpected_message", HIGH, "sent Certificate, although a pre-shared key"),
    (
        kind13(answered=(41,)), [CH, NONE, FIN], [SH, EE, CR, CERT, CV, FIN], 1, "unexpected_message", HIGH,
        "sent Certificate, although a pre-shared key",
    ),
    (kind13(), C13, [SH, EE, PACKED, CV, FIN], 1, "unexpected_message", HIGH, "sent CompressedCertificate"),
    (kind13(), C13, [SH, EE, CR, CERT, CV, FIN], 0, "message_missing", "medium", "no Certificate"),
    (kind13(), [CH, CERT, CV, FIN], S13, 0, "unexpected_message", "medium", "sent Certificate, which nobody"),
    (kind13(), [CH, CERT, FIN], [SH, EE, CR, CERT, CV, FIN], 0, "message_missing", HIGH, "no CertificateVerify"),
    (kind13(), [CH, NONE, CV, FIN], [SH, EE, CR, CERT, CV, FIN], 0, "unexpected_message", HIGH, "sent CertificateVerify"),
    (kind13(), [CH, EOED, FIN], S13, 0, "unexpected_message", "medium", "sent EndOfEarlyData"),
    (kind13(), [CH, EE, FIN], S13, 0, "unexpected_message", "medium", "sent EncryptedExtensions"),
    (kind13(), [CH, CH, FIN], S13, 0, "unexpected_message", "medium", "sent ClientHello"),
    (kind13(), C13, [RETRY, *S13], 0, "message_missing", "medium", "no ClientHello"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "client", "server", "role", "code", "severity", "shown"), [*BROKEN_12, *BROKEN_13])
def test_each_rule_broken(kind: Kind, client: list[int], server: list[int], role: int, code: str, severity: str, shown: str):
    fault = found(kind, client, server)[0]
    assert (fault.role, fault.code, fault.severity) == (role, code, severity)
    assert shown in fault.detail
    assert 0 <= fault.place < len((client, server)[role])
    assert "RFC " in fault.detail


@pytest.mark.parametrize(("kind", "client", "server", "role", "code", "severity", "shown"), [*BROKEN_12, *BROKEN_13])
def test_after_a_loss_of_either_role_nobody_is_blamed_for_what_is_missing(
    kind: Kind, client: list[int], server: list[int], role: int, code: str, severity: str, shown: str
):
    lossy = [LOST, *client], [LOST, *server]
    assert [fault for fault in found(kind, *lossy) if fault.code == "message_missing"] == []


@pytest.mark.parametrize(
    ("kind", "client", "server", "doubts"),
    [
        (kind12(), C12, [SH, CERT, DONE, CCS, FIN], ["", "it sent no ServerKeyExchange"]),
        (kind13(), [CH, CERT, FIN], [SH, EE, CR, CERT, CV, FIN], ["it sent no CertificateVerify", ""]),
        (kind13(), C13, [SH, EE, CR, CERT, CV, FIN], ["", ""]),
        (kind13(), [CH, CERT, CV, FIN], S13, ["it sent Certificate, which nobody had requested", ""]),
        (kind13(), C13, [SH, EE, EE, CERT, CV, FIN], ["", ""]),
    ],
)
def test_only_the_proof_that_would_rest_on_a_message_is_doubted(
    kind: Kind, client: list[int], server: list[int], doubts: list[str]
):
    assert [next((one.doubt for one in found(kind, client, server) if one.role == role), "") for role in (0, 1)] == doubts


ASKS = kind13(offered=(43, 49))


@pytest.mark.parametrize(
    ("kind", "client", "server", "shown"),
    [
        (ASKS, [CERT, CV, FIN], [CR], []),
        (ASKS, [NONE, FIN, CERT, CV, FIN], [CR, CR], []),
        (ASKS, [CERT, CV], [CR], []),  # the capture ends there
        (ASKS, [CERT, CV, FIN], [LOST], []),
        (ASKS, [], [CR], []),
        (kind13(), [], [CR], ["the server sent CertificateRequest, which the client did not offer to answer"]),
        (ASKS, [CERT, CV, FIN], [], ["the client sent Certificate, which nobody had requested"]),
        (ASKS, [CERT, FIN], [CR], ["the client sent no CertificateVerify, although it sent a certificate"]),
        (ASKS, [CERT, CV, DATA_SENT], [CR], ["the client sent application data", "the client sent no Finished"]),
    ],
)
def test_authentication_after_the_handshake(kind: Kind, client: list[int], server: list[int], shown: list[str]):
    details = [fault.detail for fault in found(kind, client, server, State.CONNECTED)]
    assert len(details) == len(shown)
    assert all(one.startswith(begin) for one, begin in zip(details, shown, strict=True))
