"""Verdicts on random graphs of authorities, compared with those of the verifier in `cryptography`.

Authorities share names and keys, certify each other, are expired, constrained, no authorities, or signed by another key. All
certificates are sent in any order. Both verdicts must be the same. Self-issued certificates of authorities are left out: the
verifier counts them, and RFC 5280, section 4.2.1.9, does not (x509-limbo's pathlen::self-issued-certs-pathlen).
"""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hierarchy import AT, HOST, Made, ec_key, hosts, make_intermediate, make_leaf, make_root, usage
from second_opinion import is_valid

from analyzer.x509 import judge_chain

DAY = timedelta(days=1)
NAMES = [(HOST,), ("*.example.com",), ("other.example",), ("a.b", HOST)]
PURPOSES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def _validity(random: Random) -> dict[str, Any]:
    kind = random.random()
    if kind < 0.85:
        return {}
    return {"not_before": AT - 50 * DAY, "not_after": AT - DAY} if kind < 0.93 else {"not_before": AT + DAY}


def _constraints(random: Random) -> x509.NameConstraints:
    bases = [x509.DNSName(base) for base in ("example.com", HOST, "other.example")]
    permitted = random.sample(bases, random.randint(0, 2))
    excluded = random.sample(bases, random.randint(0, 1)) if permitted else [random.choice(bases)]
    return x509.NameConstraints(permitted or None, excluded or None)


def _intermediate(random: Random, issuers: list[Made]) -> Made:
    issuer = random.choice(issuers)
    others = [f"Authority {i}" for i in range(4) if issuer.certificate.subject.rfc4514_string() != f"CN=Authority {i}"]
    subject = random.choice(others)
    changed: dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool]] = {}
    if random.random() < 0.2:
        changed[x509.NameConstraints] = _constraints(random), True
    if random.random() < 0.3:
        is_ca = random.random() < 0.8
        changed[x509.BasicConstraints] = x509.BasicConstraints(is_ca, random.randint(0, 2) if is_ca else None), True
    if random.random() < 0.1:
        changed[x509.ExtendedKeyUsage] = x509.ExtendedKeyUsage([random.choice(PURPOSES)]), False
    if random.random() < 0.1:
        changed[x509.KeyUsage] = usage("crl_sign"), True
    signer = ec_key("somebody else") if random.random() < 0.07 else None
    key = ec_key(f"{subject}, key {random.randint(0, 1)}")
    return make_intermediate(issuer, subject, key=key, signer=signer, changed=changed, **_validity(random))


@pytest.mark.parametrize("seed", range(8))
def test_graphs_made_at_random(seed: int) -> None:
    random = Random(seed)
    n_valid = 0
    for _ in range(40):
        roots = [make_root(f"Root {i}") for i in range(2)]
        authorities: list[Made] = []
        for _ in range(random.randint(1, 5)):
            authorities.append(_intermediate(random, roots + authorities))
        names = {x509.SubjectAlternativeName: (hosts(*random.choice(NAMES)), False)}
        leaf = make_leaf(random.choice(authorities), changed=names, **_validity(random))
        sent = [leaf.der, *random.sample([one.der for one in authorities], len(authorities))]
        trusted = [root.der for root in roots[: random.randint(1, 2)]]
        max_depth = random.choice([None, None, None, 0, 1, 2])
        verdict = judge_chain(sent, roots=trusted, at=AT, name=HOST, max_depth=max_depth)
        assert verdict.valid == is_valid(sent, trusted, at=AT, name=HOST, max_depth=max_depth), verdict.problems
        n_valid += verdict.valid
    assert n_valid > 3
