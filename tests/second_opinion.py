"""Gives the verdict of the verifier in `cryptography`, with its own policy; and the list that explains the differences."""

import csv
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.x509 import verification


@dataclass(frozen=True)
class Difference:
    """A row of the list: our verdict, and the reason."""

    ours: bool
    why: str


@cache
def differences(opinion: str) -> dict[str, Difference]:
    """Return the cases in which the verdict of `opinion` differs from ours."""
    with (Path(__file__).parent / "x509" / "limbo_differences.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["opinion"] == opinion]
    assert len({row["case"] for row in rows}) == len(rows)
    assert all(len(row["why"]) > 40 for row in rows), "an argument takes more than a word"
    return {row["case"]: Difference(row["ours"] == "valid", row["why"]) for row in rows}


def is_valid(
    chain: Sequence[bytes], roots: Sequence[bytes], *, at: datetime, name: str | None, max_depth: int | None = None
) -> bool:
    """Return whether that verifier accepts the chain of a server with this name, or of a client if there is no name."""
    policy = verification.PolicyBuilder().time(at)
    if max_depth is not None:
        policy = policy.max_chain_depth(max_depth)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaf, *middle = (x509.load_der_x509_certificate(der) for der in chain)
            policy = policy.store(verification.Store([x509.load_der_x509_certificate(der) for der in roots]))
            if name is None:
                policy.build_client_verifier().verify(leaf, middle)
            else:
                policy.build_server_verifier(_subject(name)).verify(leaf, middle)
    except (verification.VerificationError, x509.UnsupportedGeneralNameType, x509.InvalidVersion, ValueError, TypeError):
        return False
    return True


def _subject(name: str) -> verification.Subject:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
