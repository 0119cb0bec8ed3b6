"""Verification: an untouched bundle holds, every change of it is noticed, and nothing is said that was not proved."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import authorities
import pytest
from bundles import bundle, certificate, contents, key_file, root, signer
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from time_stamps import TimeStampAuthority

from analyzer.report.action_log import canonical
from analyzer.report.bundle import checksums, manifest_bytes
from analyzer.report.bundle_folder import BundleFolder
from analyzer.report.proofs import Proof, verify_proofs
from analyzer.report.sealing import seal
from analyzer.report.signing import Signer, read_signer
from analyzer.report.trusted_signers import TrustedSigners, read_trusted
from analyzer.report.verification import FAILS, HOLDS, UNPROVED, BundleError, Check, verify_files
from analyzer.store.manifest import FILES, SESSIONS

NOBODY = Proof(None, None)


def verify(folder: Path, proof: Proof = NOBODY) -> list[Check]:
    with BundleFolder(str(folder)) as opened:
        read, checks = verify_files(opened)
        if read.kind == "bundle":
            checks += verify_proofs(opened, read, proof)
        return checks


def failed(folder: Path, proof: Proof = NOBODY) -> list[str]:
    """The files of the checks that failed; `no bundle` where nothing could be checked at all."""
    try:
        return [check.file or "" for check in verify(folder, proof) if check.result == FAILS]
    except BundleError:
        return ["no bundle"]


def said(folder: Path, code: str, proof: Proof = NOBODY) -> Check:
    (found,) = [check for check in verify(folder, proof) if check.code == code]
    return found


KINDS: dict[str, Callable[[], Signer | None]] = {
    "unsigned": lambda: None,
    "ed25519": lambda: signer("ed25519", False),
    "rsa": lambda: signer("rsa", True),
    "ec": lambda: signer("ec", True),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TimeStampAuthority:
    return TimeStampAuthority(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture(scope="module", params=KINDS)
def sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: TimeStampAuthority) -> Path:
    """A bundle of each kind, with a token. Nobody may change it."""
    folder = tmp_path_factory.mktemp("sealed") / str(request.param)
    bundle(folder, KINDS[request.param]())
    with authority.running() as running:
        seal(str(folder), running.url, None)
    return folder


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "copy"))


@pytest.mark.peer("openssl")
def test_an_untouched_bundle_holds(sealed: Path):
    checks = verify(sealed)
    assert [check for check in checks if check.result == FAILS] == []
    assert {check.file for check in checks if check.code in ("file", "checksum")} == set(contents(sealed)) - {"manifest.sha256"}
    codes = {"checksum", "file", "extra", "chain", "signature", "token"}
    assert {check.code for check in checks} - {"pdf_signature"} == codes
    assert ("pdf_signature" in {check.code for check in checks}) == (sealed.name in ("rsa", "ec"))


@pytest.mark.peer("openssl")
def test_a_flipped_bit_in_any_file_is_noticed(copy: Path):
    for name, data in contents(copy).items():
        places = {0, 1, len(data) // 3, len(data) // 2, len(data) - 2, len(data) - 1}
        for at in sorted(places):
            for bit in (0, 5, 7):
                changed = bytearray(data)
                changed[at] ^= 1 << bit
                (copy / name).write_bytes(changed)
                assert failed(copy), (name, at, bit)
        (copy / name).write_bytes(data)
    assert failed(copy) == []


@pytest.mark.peer("openssl")
def test_a_file_that_is_cut_longer_empty_or_gone_is_noticed(copy: Path):
    for name, data in contents(copy).items():
        for changed in (data[:-1], data + b"\n", data + b"\0", b""):
            (copy / name).write_bytes(changed)
            assert failed(copy), name
        (copy / name).unlink()
        assert failed(copy), name
        (copy / name).write_bytes(data)
    assert failed(copy) == []


@pytest.mark.peer("openssl")
def test_swapped_and_added_files_are_noticed(copy: Path):
    names = sorted(contents(copy))
    for first, second in pairwise(names):
        one, two = (copy / first).read_bytes(), (copy / second).read_bytes()
        (copy / first).write_bytes(two)
        (copy / second).write_bytes(one)
        assert failed(copy), (first, second)
        (copy / first).write_bytes(one)
        (copy / second).write_bytes(two)
    for name in ("note.txt", ".hidden", "report.json~", "manifest.sig", "manifest.p7s"):
        if not (copy / name).exists():
            (copy / name).write_bytes(b"")
            assert name in failed(copy)
            (copy / name).unlink()
    (copy / "folder").mkdir()
    assert failed(copy) == ["folder"]


@pytest.mark.peer("openssl")
def test_lines_of_the_log_in_another_order_are_noticed_though_every_hash_is_made_to_fit(copy: Path):
    lines = (copy / "actions.jsonl").read_bytes().splitlines(keepends=True)
    for order in ([lines[1], lines[0], *lines[2:]], lines[:-1], lines[1:], [*lines, lines[-1]]):
        fitted(copy, {"actions.jsonl": b"".join(order)})
        assert "actions.jsonl" in failed(copy)


def fitted(folder: Path, changes: dict[str, bytes], edit: Callable[[dict], None] = lambda _: None) -> None:
    """Change files as somebody does who knows how a bundle is made: with all hashes after that, but without the key."""
    for name, data in changes.items():
        (folder / name).write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for entry in manifest["files"]:
        data = (folder / entry["name"]).read_bytes()
        entry.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())
    edit(manifest)
    (folder / "manifest.json").write_bytes(manifest_bytes(manifest))
    beside = [name for name in ("manifest.json", "manifest.sig", "manifest.p7s", "manifest.tsr") if (folder / name).exists()]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in beside}
    (folder / "manifest.sha256").write_bytes(checksums(hashes))


def rechained(folder: Path, name: str, digest: str) -> tuple[bytes, str]:
    """The log with another hash for one file, chained anew, and its head."""
    previous = None
    lines = []
    for line in (folder / "actions.jsonl").read_bytes().splitlines():
        entry = json.loads(line)
        if entry["action"] == "write" and entry["arguments"]["name"] == name:
            entry["sha256"] = digest
        entry["previous"] = previous
        lines.append(canonical(entry))
        previous = hashlib.sha256(lines[-1]).hexdigest()
    assert previous is not None
    return b"".join(line + b"\n" for line in lines), previous


@pytest.mark.peer("openssl")
def test_a_bundle_made_anew_holds_only_where_nothing_vouches_for_it(copy: Path):
    """Hashes alone show no more than that nothing was damaged, and no sentence says more. Signature and token show it."""
    changed = b'{"a": [1, 3]}\n'
    log, head = rechained(copy, "report.json", hashlib.sha256(changed).hexdigest())
    fitted(copy, {"report.json": changed, "actions.jsonl": log}, lambda manifest: manifest["actions"].update(head=head))
    found = failed(copy)
    signature = {"ed25519": ["manifest.sig"], "rsa": ["manifest.p7s"], "ec": ["manifest.p7s"]}
    assert found == [*signature.get(signed_kind(copy), []), "manifest.tsr"]
    (copy / "manifest.tsr").unlink()
    fitted(copy, {})
    if signed_kind(copy) == "unsigned":
        assert failed(copy) == []
        assert said(copy, "signature").result == said(copy, "token").result == UNPROVED
        assert "nothing shows who made it" in said(copy, "signature").detail


def signed_kind(folder: Path) -> str:
    stated = json.loads((folder / "manifest.json").read_bytes())["signature"]
    if stated is None:
        return "unsigned"
    return "ed25519" if stated["kind"] == "ed25519" else "rsa"


@pytest.mark.peer("openssl")
def test_a_signature_that_was_taken_away_is_noticed(copy: Path):
    for name in ("manifest.sig", "manifest.p7s"):
        if (copy / name).exists():
            (copy / name).unlink()
            fitted(copy, {})
            assert failed(copy) == [name]


def trusted(*data: bytes) -> TrustedSigners:
    found = [read_trusted(one) for one in data]
    return TrustedSigners(
        frozenset(key for one in found for key in one.keys), [certificate for one in found for certificate in one.certificates]
    )


def public(kind: str) -> bytes:
    key = authorities.key(f"Examiner {kind}", kind).public_key()
    data: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return data


def test_the_sentence_on_a_key_says_who_vouches_for_it(tmp_path: Path):
    bundle(tmp_path / "b", signer("ed25519", False))
    alone = said(tmp_path / "b", "signature")
    assert (alone.result, alone.detail.endswith("nobody vouches for this key here")) == (HOLDS, True)
    given = said(tmp_path / "b", "signature", Proof(trusted(public("ed25519")), None))
    assert (given.result, given.detail.endswith("which you gave as trusted")) == (HOLDS, True)
    wrong = said(tmp_path / "b", "signature", Proof(trusted(public("ec")), None))
    assert (wrong.result, wrong.detail.endswith("which is not what you gave as trusted")) == (FAILS, True)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_sentence_on_a_certificate_says_who_vouches_for_it(tmp_path: Path, kind: str):
    bundle(tmp_path / "b", signer(kind, True))
    own, other = certificate(kind).public_bytes(Encoding.PEM), certificate("ed25519").public_bytes(Encoding.PEM)
    for code in ("signature", "pdf_signature"):
        alone = said(tmp_path / "b", code)
        assert (alone.result, "nobody vouches for this certificate here" in alone.detail) == (HOLDS, True)
        given = said(tmp_path / "b", code, Proof(trusted(own), None))
        assert (given.result, "which you gave as trusted" in given.detail) == (HOLDS, True)
        assert "was not judged" in given.detail
        chained = said(tmp_path / "b", code, Proof(trusted(root().public_bytes(Encoding.PEM)), None))
        assert (chained.result, "leads to CN=Root, which you gave as trusted" in chained.detail) == (HOLDS, True)
        assert "revocation was not looked up" in chained.detail
        wrong = said(tmp_path / "b", code, Proof(trusted(other), None))
        assert (wrong.result, "nothing that you gave as trusted vouches" in wrong.detail) == (FAILS, True)


def test_who_trusts_somebody_is_told_that_nothing_is_signed_or_stamped(tmp_path: Path):
    bundle(tmp_path / "b")
    proof = Proof(trusted(public("ed25519")), trusted(root().public_bytes(Encoding.PEM)))
    assert (said(tmp_path / "b", "signature", proof).result, said(tmp_path / "b", "token", proof).result) == (FAILS, FAILS)


@pytest.mark.peer("openssl")
def test_a_trusted_token_gives_the_time_at_which_a_certificate_is_judged(tmp_path: Path, authority: TimeStampAuthority):
    """The certificate of the examiner ended in 2024, and the token is of today."""
    bundle(tmp_path / "b", signer("rsa", True))
    with authority.running() as running:
        seal(str(tmp_path / "b"), running.url, None)
    mine = trusted(root().public_bytes(Encoding.PEM))
    assert said(tmp_path / "b", "signature", Proof(mine, None)).result == HOLDS
    judged = said(tmp_path / "b", "signature", Proof(mine, trusted(authority.ca.read_bytes())))
    assert (judged.result, "not valid at the time of the token" in judged.detail) == (FAILS, True)


def test_the_key_of_somebody_else_under_a_manifest_that_names_me_is_noticed(tmp_path: Path):
    bundle(tmp_path / "b", signer("ed25519", False))
    other = read_signer(key_file("rsa", True))
    mallory = authorities.key("mallory", "ed25519")
    from analyzer.report.signing import Ed25519Signer

    manifest = (tmp_path / "b" / "manifest.json").read_bytes()
    fitted(tmp_path / "b", {"manifest.sig": Ed25519Signer(mallory).sign(manifest, None)})
    assert failed(tmp_path / "b") == ["manifest.sig"]
    (tmp_path / "b" / "manifest.sig").unlink()
    fitted(tmp_path / "b", {"manifest.p7s": other.sign(manifest, None)})
    assert set(failed(tmp_path / "b")) == {"manifest.sig", "manifest.p7s"}


def listing(name: str) -> Callable[[dict], None]:
    def edit(manifest: dict) -> None:
        manifest["files"].append(
            {"name": name, "media_type": "text/plain", "size": 4, "sha256": hashlib.sha256(b"boot").hexdigest()}
        )

    return edit


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "..", ".", "", "a/../../secret", "..\\secret", "a\0b"])
def test_nothing_outside_of_the_folder_is_read(tmp_path: Path, name: str):
    (tmp_path / "secret").write_bytes(b"boot")
    bundle(tmp_path / "b")
    fitted(tmp_path / "b", {}, listing(name))
    checks = [check for check in verify(tmp_path / "b") if check.result == FAILS]
    assert "nothing was read there" in checks[0].detail
    assert hashlib.sha256(b"boot").hexdigest() not in repr(checks)


@pytest.mark.parametrize("kind", ["link", "broken link", "link to itself", "folder", "pipe", "link to a pipe"])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, kind: str):
    bundle(tmp_path / "b")
    target = tmp_path / "b" / "report.json"
    (tmp_path / "same").write_bytes(target.read_bytes())
    target.unlink()
    if kind == "link":
        target.symlink_to(tmp_path / "same")
    elif kind == "broken link":
        target.symlink_to(tmp_path / "missing")
    elif kind == "link to itself":
        target.symlink_to("report.json")
    elif kind == "folder":
        target.mkdir()
    else:
        os.mkfifo(target if kind == "pipe" else tmp_path / "pipe")
        if kind == "link to a pipe":
            target.symlink_to(tmp_path / "pipe")
    assert "report.json" in failed(tmp_path / "b")


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sha256", "actions.jsonl", "manifest.sig"])
def test_a_link_in_the_place_of_what_proves_is_not_followed(tmp_path: Path, name: str):
    bundle(tmp_path / "b", signer("ed25519", False))
    shutil.move(tmp_path / "b" / name, tmp_path / name)
    (tmp_path / "b" / name).symlink_to(tmp_path / name)
    assert failed(tmp_path / "b")


def test_a_giant_file_costs_nothing_when_the_manifest_says_less(tmp_path: Path):
    bundle(tmp_path / "b")
    with open(tmp_path / "b" / "report.json", "r+b") as file:
        file.truncate(1 << 40)
    assert failed(tmp_path / "b")[0] == "report.json"


def test_giant_manifests_and_logs_are_not_read(tmp_path: Path):
    for name in ("manifest.json", "actions.jsonl", "manifest.sha256"):
        bundle(tmp_path / name)
        with open(tmp_path / name / name, "r+b") as file:
            file.truncate(1 << 40)
        assert failed(tmp_path / name)


HEAD = b'{"format": "analyzer bundle", "version": 1, "files": ['

EXPORT_HEAD = b'{"format": "analyzer export", "version": 1, "x": 1, ' + SESSIONS + b"\n"

HOSTILE = {
    "deep list": b"[" * 2_000_000,
    "deep object": b'{"a":' * 500_000,
    "number": b"9" * 5_000,
    "not UTF-8": b"\xff\xfe",
    "null": b"null",
    "nothing": b"",
    "list": b"[]",
    "of something": b'{"format": "other"}',
    "version": b'{"format": "analyzer bundle", "version": 99, "files": []}',
    "no files": b'{"format": "analyzer bundle", "version": 1}',
    "strange entries": b'{"format": "analyzer bundle", "version": 1, "files": [1, null, {"name": 7}]}',
    "boolean size": HEAD + b'{"name": "a", "size": true, "sha256": "%064d"}]}' % 0,
    "long name": HEAD + b'{"name": "%09999d", "size": 1, "sha256": "%064d"}]}' % (0, 0),
    "long hash": HEAD + b'{"name": "a", "size": 1, "sha256": "%065d"}]}' % 0,
    "export": EXPORT_HEAD + FILES + b"\n" + b"[" * 100_000 + b"\n]}\n",
    "export line": EXPORT_HEAD + FILES + b'\n{"file": "' + b"a" * (2 << 20) + b'"}\n]}\n',
    "export without files": EXPORT_HEAD + b"]}\n",
    "export cut": EXPORT_HEAD + FILES + b"\n",
    "export head": b'{"format": "analyzer export", "version": 1, [[[' + SESSIONS + b"\n" + FILES + b"\n]}\n",
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_manifest_is_no_bundle(tmp_path: Path, content: bytes):
    (tmp_path / "manifest.json").write_bytes(content)
    with BundleFolder(str(tmp_path)) as folder, pytest.raises(BundleError):
        verify_files(folder)


EDITS: dict[str, Callable[[dict], None]] = {
    "signature": lambda manifest: manifest.update(signature=[]),
    "kind": lambda manifest: manifest.update(signature={"kind": ["ed25519"], "file": "manifest.sig"}),
    "file": lambda manifest: manifest.update(signature={"kind": "ed25519", "file": "../x"}),
    "signs": lambda manifest: manifest.update(signature={"kind": "cms", "file": "manifest.p7s", "signs": [{}, "../x", 5]}),
    "actions": lambda manifest: manifest.update(actions=None),
    "head": lambda manifest: manifest["actions"].update(head=None),
    "twice": lambda manifest: manifest["files"].append(manifest["files"][0]),
    "media type": lambda manifest: manifest["files"][1].update(media_type="application/pdf"),
    "lone surrogate": lambda manifest: listing("\ud800")(manifest),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_strange_manifest_with_fitting_hashes_fails_and_does_not_crash(tmp_path: Path, edit: Callable[[dict], None]):
    bundle(tmp_path / "b")
    fitted(tmp_path / "b", {}, edit)
    assert failed(tmp_path / "b")


def test_another_form_of_the_same_manifest_is_noticed(tmp_path: Path):
    bundle(tmp_path / "b")
    manifest = (tmp_path / "b" / "manifest.json").read_bytes()
    changed = manifest.replace(b'"version": 1', b'"version": 7,\n  "version": 1')
    assert json.loads(changed) == json.loads(manifest)
    (tmp_path / "b" / "manifest.json").write_bytes(changed)
    (tmp_path / "b" / "manifest.sha256").write_bytes(checksums({"manifest.json": hashlib.sha256(changed).hexdigest()}))
    assert failed(tmp_path / "b") == ["manifest.json"]
