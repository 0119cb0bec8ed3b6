"""The final status of an offer of Encrypted Client Hello."""

import pytest

from analyzer.tls.decryption.ech_conclusion import conclude_ech
from analyzer.tls.events import Alert
from analyzer.tls.handshake.ech_offer import ECH_REQUIRED, GREASE, OFFERED, REJECTED, EchOffer
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
    conclude_ech(offer, log, None, False, 3)
    assert offer.status == status
