"""The tree of a certificate chain."""

from typing import Any

from analyzer.report.chain_branches import chain_tree, verdict_line
from analyzer.report.document import Branch, Mark, Quoted
from analyzer.report.sentences import Sentences

from .conftest import FactsOf

ENGLISH = Sentences("en")


def certificate(name: str, issuer: str) -> dict[str, Any]:
    key = {"type": "ec", "curve": "secp256r1"}
    return {
        "sha256": name * 64, "subject": f"CN={name}", "issuer": f"CN={issuer}", "serial": "01", "not_after": "2027-01-01T",
        "public_key": key, "signature_algorithm": "ecdsa-with-SHA256",
    }  # fmt: skip


def chain(path: str, *, problems: Any = (), notes: Any = (), revocation: Any = ()) -> dict[str, Any]:
    return {
        "verdict": "invalid" if problems else "valid", "at": "2026-11-02T09:00:01.000000000Z", "name": "a.example",
        "path": [name * 64 for name in path], "problems": list(problems), "notes": list(notes), "revocation": list(revocation),
        "scts": [], "trust": [{"store": "mozilla", "date": "2026-10-19"}],
    }  # fmt: skip


def text_of(branch: Branch) -> str:
    return "".join(piece if isinstance(piece, str) else piece.text for piece in branch.line)


def test_the_root_is_at_the_top_and_has_the_name_of_the_issuer_below() -> None:
    [root] = chain_tree(chain("abc"), [certificate("a", "b"), certificate("b", "c")], "", ENGLISH).roots
    assert text_of(root) == "no problem CN=c (trusted root, not sent)"
    [middle] = root.below
    assert text_of(middle) == "no problem CN=b (sent as 1, valid until 2027-01-01)"
    [leaf] = middle.below
    assert text_of(leaf) == "no problem CN=a (sent as 0, valid until 2027-01-01)"
    assert leaf.below == ()
    assert Quoted("CN=a") in leaf.line


def test_an_issuer_that_is_not_known_is_no_trusted_root() -> None:
    problem = {"code": "unknown_issuer", "certificate": 1, "detail": "no root has issued it"}
    [top] = chain_tree(chain("ab", problems=[problem]), [certificate("a", "b"), certificate("b", "c")], "", ENGLISH).roots
    assert text_of(top) == "problem CN=b (sent as 1, valid until 2027-01-01)"
    assert top.lines[0] == [Mark("unknown issuer", "bad"), " ", Quoted("no root has issued it")]


def test_problems_of_the_whole_chain_and_certificates_beside_the_path_are_roots_of_their_own() -> None:
    problems = [{"code": "name_mismatch", "certificate": None, "detail": "for another name"}]
    notes = [{"code": "extra", "certificate": 1, "detail": "not on the path"}]
    sent = [certificate("a", "c"), certificate("x", "y")]
    roots = chain_tree(chain("ac", problems=problems, notes=notes), sent, "", ENGLISH).roots
    assert [text_of(root) for root in roots[1:]] == [
        "CN=x (sent as 1, not on the path, valid until 2027-01-01)",
        "name mismatch for another name",
        "note not on the path",
    ]


def test_revocation_stands_at_its_certificate() -> None:
    revocation = [{"sha256": "a" * 64, "status": "good", "source": "ocsp", "detail": "by OCSP of today"}]
    [root] = chain_tree(chain("ac", revocation=revocation), [certificate("a", "c")], "", ENGLISH).roots
    assert [Mark("not revoked", "good"), " ", Quoted("by OCSP of today")] in root.below[0].lines
    assert root.lines == []


def test_a_verdict_names_what_it_depends_on() -> None:
    words = "".join(one if isinstance(one, str) else one.text for one in verdict_line(chain("a"), ENGLISH))
    judged = "as judged for the name a.example and the time 2026-11-02 09:00:01 UTC, with the roots of mozilla (2026-10-19)."
    assert words == f"valid, {judged}"
    nameless = chain("a") | {"name": None}
    assert Quoted("a.example") not in verdict_line(nameless, ENGLISH)
    assert verdict_line({"verdict": "absent"}, ENGLISH) == ["No certificate was seen."]


def test_the_chains_of_a_real_capture(facts_of: FactsOf) -> None:
    facts = facts_of("tls13-rsa/tls13-rsa.pcapng", "-k", "tls13-rsa/tls13-rsa.keys", "--trust", "tls13-rsa/tls13-rsa.ca.pem")
    [session] = facts["sessions"]["shown"]
    assert session["chain"]["verdict"] == "valid"
    [root] = chain_tree(session["chain"], session["certificates"]["server"], "", ENGLISH).roots
    assert text_of(root).endswith("(trusted root, not sent)")
