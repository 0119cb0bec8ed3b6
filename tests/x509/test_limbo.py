"""The verdicts on the cases of x509-limbo, compared with the suite's expected results and with the verdicts of `cryptography`.

Every difference is listed with its reason in limbo_differences.csv. A difference that is not listed fails, and so does a row
without a difference. Where our verdict is stricter than that of `cryptography`, the suite itself or RFC 5280 requires it.
"""

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from second_opinion import differences, is_valid
from work import at_most

from analyzer.x509 import judge_chain, path_building
from analyzer.x509.signature_strength import Outcome, check_signature
from analyzer.x509.verdict import WEIGHTS, Verdict

pytestmark = pytest.mark.corpus

AGREEMENT = 0.995
"""Share of the cases that are neither pedantic nor about revocation lists."""

IMPOSSIBLE = ("webpki::ca-as-leaf",)
"""Has the same chain as rfc5280::ca-as-leaf, which the suite wants to be valid; it says itself that the two conflict."""

NOT_COUNTED = ("pedantic", "rfc5280-incompatible-with-webpki", "has-crl")


@dataclass(frozen=True)
class Limbo:
    """One case."""

    fields: dict[str, Any]

    @property
    def counted(self) -> bool:
        return not self.fields["crls"] and not any(feature.startswith(NOT_COUNTED) for feature in self.fields["features"])

    @property
    def at(self) -> datetime:
        text = self.fields["validation_time"]
        return datetime.fromisoformat(text) if text else datetime.now(UTC)

    @property
    def name(self) -> str | None:
        name = self.fields["expected_peer_name"]
        return name["value"] if self.server and name and name["kind"] in ("DNS", "IP") else None

    @property
    def server(self) -> bool:
        return bool(self.fields["validation_kind"] == "SERVER")

    def ders(self, field: str) -> list[bytes]:
        pems = self.fields[field]
        return [_der(pem) for pem in ([pems] if isinstance(pems, str) else pems)]

    def ours(self) -> Verdict:
        return judge_chain(
            self.ders("peer_certificate"),
            roots=self.ders("trusted_certs"),
            intermediates=self.ders("untrusted_intermediates"),
            at=self.at,
            name=self.name,
            purpose="server" if self.server else "client",
            max_depth=self.fields["max_chain_depth"],
            crls=self.ders("crls"),
            strict=True,
        )

    def second(self) -> bool:
        """The verdict of the verifier in `cryptography`."""
        chain = self.ders("peer_certificate") + self.ders("untrusted_intermediates")
        depth = self.fields["max_chain_depth"]
        return is_valid(chain, self.ders("trusted_certs"), at=self.at, name=self.name, max_depth=depth)


def _der(pem: str) -> bytes:
    return base64.b64decode("".join(line for line in pem.splitlines() if not line.startswith("-----")))


@pytest.fixture(scope="module")
def cases(corpus: Path) -> list[Limbo]:
    with gzip.open(corpus / "x509-limbo" / "limbo.json.gz", "rt", encoding="utf-8") as file:
        return [Limbo(case) for case in json.load(file)["testcases"]]


@pytest.fixture(scope="module")
def verdicts(cases: list[Limbo]) -> dict[str, tuple[Limbo, Verdict]]:
    return {case.fields["id"]: (case, case.ours()) for case in cases}


def _expected(case: Limbo) -> bool:
    return bool(case.fields["expected_result"] == "SUCCESS")


def test_we_agree_with_the_suite(verdicts: dict[str, tuple[Limbo, Verdict]]) -> None:
    # Of two cases with equal chains and opposite results, nobody can satisfy both: the one that RFC 5280 argues for counts.
    counted = [(case, verdict) for case, verdict in verdicts.values() if case.counted and case.fields["id"] not in IMPOSSIBLE]
    agreed = sum(verdict.valid == _expected(case) for case, verdict in counted)
    assert len(counted) > 180
    assert agreed >= AGREEMENT * len(counted)


def test_every_difference_from_the_suite_is_argued(verdicts: dict[str, tuple[Limbo, Verdict]]) -> None:
    found = {case: verdict.valid for case, (limbo, verdict) in verdicts.items() if verdict.valid != _expected(limbo)}
    assert found == {case: row.ours for case, row in differences("x509-limbo").items()}


def test_every_difference_from_cryptography_is_argued(verdicts: dict[str, tuple[Limbo, Verdict]]) -> None:
    found = {
        case: verdict.valid
        for case, (limbo, verdict) in verdicts.items()
        # It gives no verdict for a server without a name, and reads no revocation lists.
        if (limbo.name is not None or not limbo.server) and not limbo.fields["crls"] and limbo.second() != verdict.valid
    }
    assert found == {case: row.ours for case, row in differences("cryptography").items()}


def test_verdicts_are_complete(verdicts: dict[str, tuple[Limbo, Verdict]]) -> None:
    for limbo, verdict in verdicts.values():
        assert verdict.valid == (not verdict.problems)
        assert verdict.path[0] == limbo.ders("peer_certificate")[0]
        assert {problem.code for problem in verdict.problems} <= WEIGHTS.keys()
        assert all(problem.certificate in (0, None) for problem in verdict.problems), "only the leaf is sent in these cases"
        if verdict.trusted:
            assert verdict.path[-1] in limbo.ders("trusted_certs")


REASONS = {
    "rfc5280::validity::expired-root": {"expired"},
    "rfc5280::validity::not-yet-valid-1-second": {"not_yet_valid"},
    "rfc5280::chain-untrusted-root": {"unknown_issuer"},
    "pathological::intermediate-cycle-distinct-cas": {"unknown_issuer"},
    "webpki::san::mismatch-domain-san": {"name_mismatch"},
    "webpki::san::wildcard-match-across-labels-san": {"name_mismatch"},
    "webpki::san::no-san": {"no_name"},
    "rfc5280::intermediate-ca-without-ca-bit": {"not_a_ca"},
    "pathlen::intermediate-pathlen-too-long": {"path_too_long"},
    "pathlen::max-chain-depth-0-exhausted": {"path_too_long"},
    "rfc5280::nc::nc-forbids-dnsname-wildcard-san": {"name_constraint"},
    "rfc5280::nc::excluded-ipv6-match": {"name_constraint"},
    "rfc5280::nc::nc-forbids-othername": {"name_constraint"},
    "cve::cve-2025-61727": {"name_constraint"},
    "rfc5280::eku::ee-wrong-eku": {"wrong_purpose"},
    "webpki::forbidden-p192-root": {"weak_key"},
    "webpki::forbidden-weak-rsa-key-in-root": {"weak_key"},
    "webpki::explicit-curve": {"weak_key"},
    "rfc5280::unknown-critical-extension-root": {"unknown_critical_extension"},
    "rfc5280::serial::negative": {"non_conforming"},
    "rfc5280::duplicate-extensions": {"malformed"},
    "webpki::cn::not-in-san": {"non_conforming"},
    "crl::revoked-certificate-with-crl": {"revoked"},
}
"""The problems that must be found, and no others."""


def test_the_reasons_are_the_right_ones(verdicts: dict[str, tuple[Limbo, Verdict]]) -> None:
    found = {case: {problem.code for problem in verdicts[case][1].problems} for case in REASONS}
    assert found == REASONS


LINES = 1 << 21
"""Maximum lines of Python for a pathological case, two to three times what the worst one takes; other cases take 3,300."""

SIGNATURES = 100
"""Maximum signature checks for one of them; without a limit one takes 1,700."""


def test_no_case_needs_much_work(cases: list[Limbo], monkeypatch: pytest.MonkeyPatch) -> None:
    """The pathological cases have graphs and names that could take hours: lines of Python and checks of signatures are
    counted."""
    checked: list[bytes] = []

    def check(signed: bytes, signature: bytes, algorithm: bytes, spki: bytes) -> Outcome:
        checked.append(signature)
        return check_signature(signed, signature, algorithm, spki)

    monkeypatch.setattr(path_building, "check_signature", check)
    pathological = [case for case in cases if case.fields["id"].startswith("pathological::")]
    assert len(pathological) >= 8
    n_lines = n_checked = 0
    for case in pathological:
        checked.clear()
        with at_most(LINES) as work:
            case.ours()
        assert len(checked) <= SIGNATURES, case.fields["id"]
        n_lines += work.n_lines
        n_checked += len(checked)
    assert n_lines > 100_000
    assert n_checked > 100
