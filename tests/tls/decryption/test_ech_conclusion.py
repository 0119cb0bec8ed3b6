"""The final status of an offer of Encrypted Client Hello."""

import pytest

from analyzer.tls.decryption.ech_conclusion import conclude_ech
from analyzer.tls.events import Alert
from analyzer.tls.handshake.ech_offer import ACCEPTED, ECH_REQUIRED, GREASE, OFFERED, REJECTED, EchOffer
from analyzer.tls.handshake.parameters import Hellos
from analyzer.tls.session_log import SessionLog


@pytest.mark.parametrize(
    ("required", "injected", "status"), [(False, False, GREASE), (True, False, REJECTED), (True, True, GREASE)]
)
def test_who_goes_on_after_a_rejection_did_not_mean_it(required: bool, injected: bool, status: str):
    offer = EchOffer(1, b"name", bytes(32))
    assert offer.status == OFFERED
    offer.status = REJECTED
    log = SessionLog(0, None)
    if required:
        alert = Alert(2, ECH_REQUIRED, 0, 1, 0)
        alert.injected = injected
        log.add_alert(alert)
    hellos = Hellos()
    hellos.ech, hellos.server_name = offer, b"name"
    conclude_ech(hellos, log, None, False, 3)
    assert (offer.status, hellos.server_name) == (status, b"name")


def test_the_outer_name_is_not_that_of_an_inner_hello_that_nobody_knows():
    hellos, log = Hellos(), SessionLog(0, None)
    hellos.ech, hellos.server_name = EchOffer(1, b"public", bytes(32)), b"public"
    hellos.ech.status, hellos.ech.unopened = ACCEPTED, "they do not open"
    conclude_ech(hellos, log, None, True, 3)
    assert hellos.server_name is None
    assert log.findings == []  # they may not open because the hello is cut
    hellos.client_whole = True
    conclude_ech(hellos, log, None, True, 3)
    assert [(one.code, one.severity, one.detail) for one in log.findings] == [("ech_not_opened", "low", "they do not open")]
    conclude_ech(Hellos(), log, None, True, 3)
    assert len(log.findings) == 1


def test_without_the_answer_to_a_known_inner_hello_no_name_is_that_of_the_session():
    hellos, log = Hellos(), SessionLog(0, None)
    hellos.ech, hellos.server_name = EchOffer(1, b"public", bytes(32)), b"public"
    conclude_ech(hellos, log, None, True, 0)
    assert hellos.server_name == b"public"  # it may be GREASE
    hellos.ech.hellos.append(b"inner")
    conclude_ech(hellos, log, None, True, 0)
    assert hellos.server_name is None
