from .conftest import Facts, FactsOf


def names(facts: Facts, session: int) -> list[str]:
    return [step["name"] for step in facts["sessions"]["shown"][session]["steps"]]


def test_the_steps_of_a_decrypted_handshake_are_all_there(facts_of: FactsOf):
    facts = facts_of("tls13-rsa/tls13-rsa.pcapng", "-k", "tls13-rsa/tls13-rsa.keys")
    found = names(facts, 0)
    for name in ("client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify", "finished"):
        assert name in found
    steps = {step["name"]: step for step in facts["sessions"]["shown"][0]["steps"]}
    assert steps["certificate_verify"]["check"]["text"] == "the signature verifies with the certificate sent"
    assert steps["certificate_verify"]["encrypted"] is True
    assert steps["client_hello"]["explanation"]


def test_without_keys_nothing_is_checked_that_cannot_be_seen(facts_of: FactsOf):
    facts = facts_of("tls13-rsa/tls13-rsa.pcapng")
    assert "certificate_verify" not in names(facts, 0)
    assert all(step["check"] is None for step in facts["sessions"]["shown"][0]["steps"])


def test_a_fatal_alert_is_marked(failing_facts: Facts):
    fatal = [step for step in failing_facts["sessions"]["shown"][0]["steps"] if step["fatal"]]
    assert [(step["from"], step["title"]) for step in fatal] == [("client", "Alert: fatal unknown_ca")]


def test_an_explanation_comes_once(demo_facts: Facts):
    for record in demo_facts["sessions"]["shown"]:
        explained = [step["explanation"] for step in record["steps"] if step["explanation"]]
        assert len(explained) == len(set(explained))
