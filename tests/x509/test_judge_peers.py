"""More than 300 chains, one on each side of the boundary of each rule, judged by us and by three other verifiers.

`openssl verify`, Go's crypto/x509 and the verifier in `cryptography` have a verdict on each. Where one differs from ours, a row
of peer_differences.csv says why: its `case` is the title of a chain, or a pattern of titles. A difference without a row fails,
and so does a row without a difference, unless its `versions` says that only some versions of the peer differ.
"""

import base64
import csv
import json
import os
import subprocess
import warnings
from fnmatch import fnmatchcase
from functools import cache
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_chains import Chain, every_chain
from second_opinion import is_valid

from analyzer.x509 import judge_chain
from analyzer.x509.verdict import WEIGHTS

HERE = Path(__file__).parent


@cache
def made() -> tuple[Chain, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(every_chain())


@cache
def ours() -> dict[str, bool]:
    return {one.title: judged(one) for one in made()}


def judged(one: Chain, *, strict: bool = False) -> bool:
    purpose = "client" if one.client else "server"
    return judge_chain(one.sent, roots=one.roots, at=one.at, name=one.name, purpose=purpose, strict=strict).valid


def argued(peer: str) -> list[tuple[str, bool, bool]]:
    """The patterns of the list for a peer, each with our verdict, and whether every version of the peer differs."""
    with (HERE / "peer_differences.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["peer"] == peer]
    assert all(len(row["why"]) > 40 for row in rows), "an argument takes more than a word"
    return [(row["case"], row["ours"] == "valid", row["versions"] != "some") for row in rows]


def compare(peer: str, theirs: dict[str, bool]) -> None:
    """Fail for a difference without a row, and for a row without a difference."""
    differ = {title: verdict for title, verdict in ours().items() if theirs[title] != verdict}
    rows = argued(peer)
    unexplained = {
        title: verdict
        for title, verdict in differ.items()
        if not any(fnmatchcase(title, pattern) and verdict == wanted for pattern, wanted, _ in rows)
    }
    assert unexplained == {}
    unused = [
        pattern
        for pattern, wanted, always in rows
        if always and not any(fnmatchcase(title, pattern) and verdict == wanted for title, verdict in differ.items())
    ]
    assert unused == []


def test_there_are_enough_chains_and_both_verdicts() -> None:
    assert len(made()) > 300
    assert 100 < sum(ours().values()) < len(made()) - 100


def test_strict_is_never_more_tolerant() -> None:
    stricter = [one.title for one in made() if judged(one, strict=True) != ours()[one.title]]
    assert stricter
    assert all(ours()[title] for title in stricter)


def test_cryptography_agrees() -> None:
    # It gives no verdict on a server without a name: every chain for a server here has one.
    compare("cryptography", {one.title: is_valid(one.sent, one.roots, at=one.at, name=one.name) for one in made()})


@pytest.mark.peer("openssl")
def test_openssl_agrees(tmp_path: Path) -> None:
    compare("openssl", {one.title: by_openssl(one, tmp_path) for one in made()})


def by_openssl(one: Chain, folder: Path) -> bool:
    for name, ders in (("leaf", one.sent[:1]), ("sent", one.sent[1:]), ("roots", one.roots)):
        (folder / name).write_text("".join(_pem(der) for der in ders))
    asked = []
    if one.name is not None:
        try:
            asked = ["-verify_ip", str(ip_address(one.name))]
        except ValueError:
            asked = ["-verify_hostname", one.name]
    command = [
        "openssl", "verify", "-auth_level", "2", "-attime", str(int(one.at.timestamp())), "-no-CApath", "-no-CAstore",
        "-purpose", "sslclient" if one.client else "sslserver", *asked, "-CAfile", str(folder / "roots"),
        *(["-untrusted", str(folder / "sent")] if one.sent[1:] else []), str(folder / "leaf"),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def _pem(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


@pytest.mark.peer("go")
def test_go_agrees(tmp_path: Path) -> None:
    lines = [
        json.dumps(
            {
                "Chain": [base64.b64encode(der).decode() for der in one.sent],
                "Roots": [base64.b64encode(der).decode() for der in one.roots],
                "At": int(one.at.timestamp()),
                "Name": one.name or "",
                "Client": one.client,
            }
        )
        for one in made()
    ]
    settings_of_go = os.environ | {"GOCACHE": str(tmp_path / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    run = subprocess.run(
        ["go", "run", str(HERE / "verify.go")], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
        env=settings_of_go, timeout=300,
    )  # fmt: skip
    words = run.stdout.split()
    compare("go", {one.title: word == "true" for one, word in zip(made(), words, strict=True)})


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_nothing_is_raised_for_changed_chains(data: st.DataObject) -> None:
    """Any chain of these with changed octets has a verdict, which is not valid by what is not listed."""
    one = data.draw(st.sampled_from(made()))
    sent = [bytearray(der) for der in one.sent]
    for place, at, octet in data.draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1500), st.integers(0, 255)), max_size=3)
    ):
        der = sent[place % len(sent)]
        der[at % len(der)] = octet
    verdict = judge_chain(list(map(bytes, sent)), roots=one.roots, at=one.at, name=one.name, strict=data.draw(st.booleans()))
    assert {problem.code for problem in verdict.problems} <= WEIGHTS.keys()
