"""The text about decryption and authenticity promises no more than was checked."""

import pytest

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.text.authentication_text import authenticity_text, check_text, decryption_failure_text, decryption_text

NOTHING = {"status": "none", "reason": None, "records": 0, "failed": 0, "detail": None}


def authenticity(server="absent", client="absent", finished=("absent", "absent"), detail=None):
    record = {
        "server_signature": server,
        "client_signature": client,
        "finished": {"client": finished[0], "server": finished[1]},
        "detail": detail,
    }
    return [sentence for sentence, _ in authenticity_text({"authenticity": record})]


def test_records_are_consistent_with_the_secrets_and_no_more():
    text = decryption_text(NOTHING | {"status": "partial", "records": 12, "failed": 3})
    assert text == "decrypted in part: 12 records opened, consistent with the supplied secrets, 3 did not"
    assert ": 12 packets opened" in decryption_text(NOTHING | {"status": "decrypted", "records": 12}, "quic")


@pytest.mark.parametrize("reason", CAUSES)
def test_every_reason_is_a_plain_sentence_with_a_next_step(reason):
    (sentence,) = decryption_failure_text(NOTHING | {"reason": reason, "detail": "what was seen"})
    assert sentence.startswith("Because ")
    assert "(what was seen). " in sentence
    assert sentence.endswith(".")


def test_without_a_reason_there_is_no_sentence():
    assert decryption_failure_text(NOTHING) == []


def test_a_handshake_is_called_authentic_only_by_its_signature():
    assert authenticity(finished=("verified", "verified")) == [
        "Finished of the client and the server: consistent with the supplied secrets"
    ]
    assert authenticity("verified")[0].startswith("handshake authentic: ")
    assert authenticity("failed")[0].startswith("handshake NOT authentic: ")
    assert authenticity(client="failed")[0].startswith("client NOT authentic: ")
    assert authenticity(finished=("failed", "verified"))[0].startswith("Finished of the client: does NOT")


@pytest.mark.parametrize("result", ["verified", "failed", "unverifiable"])
def test_each_checked_step_shows_its_result(result):
    record = {"server_signature": result, "client_signature": "absent", "finished": {"client": result, "server": "absent"}}
    words = {"verified": "verifies", "failed": "NOT", "unverifiable": "could not"}[result]
    for name in ("server_key_exchange", "certificate_verify"):
        assert words in check_text(record, name, "server")[0]
        assert check_text(record, name, "client") is None or name == "server_key_exchange"
    assert check_text(record, "finished", "client") is not None
    assert check_text(record, "finished", "server") is None
    assert check_text(record, "certificate", "server") is None


def test_one_cause_is_printed_once():
    detail = "server's signature: it is hidden; client's signature: it is hidden; server's Finished: too short"
    assert authenticity(detail=detail) == ["server's signature, client's signature: it is hidden; server's Finished: too short"]
