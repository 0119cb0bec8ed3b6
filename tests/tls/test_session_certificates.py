"""Certificates that a side sends more than once: the first ones belong to the session, others are kept and reported."""

import contextlib
import hashlib
import json
import ssl
import tempfile
from pathlib import Path

import pytest
from conversations import Flight, Tap, contexts, packetise
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flights import certificate_list, flights, message, records
from hierarchy import AT, Made, ec_key, make, make_intermediate, make_leaf, make_root

from analyzer.cli.certificates import Listing
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import Chains
from analyzer.store.exported_objects import CERTIFICATES, ExportedObjects
from analyzer.store.folder import Folder
from analyzer.store.manifest import Manifest
from analyzer.store.session_record import session_record
from analyzer.tls.limits import MAX_CHAINS
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1
END = AT.replace(year=2040)


def session(said: list[Flight], keylog: KeyLog | None = None) -> Session:
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.feed(*packetise(said))
    (one,) = tap.close()
    return one


def changes(one: Session) -> list[tuple[str, str]]:
    return [(finding.severity, finding.detail) for finding in one.log.findings if finding.code == "certificate_changed"]


def again(chain: list[bytes]) -> bytes:
    return records(message(11, certificate_list(chain)))


def authenticate_twice(folder: Path) -> tuple[list[Flight], bytes, tuple[Made, Made, Made]]:
    """TLS 1.3 in which the server requests a client certificate twice after the handshake.

    The second time it gets another one.
    """
    root = make_root(not_after=END)
    issuer = make_intermediate(root, not_after=END)
    leaves = [make("one", issuer, key=ec_key("one"), not_after=END), make("two", issuer, key=ec_key("two"), not_after=END)]
    server_context = contexts.__wrapped__()[1]
    Path(folder, "root").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    server_context.load_verify_locations(str(folder / "root"))
    server_context.verify_mode = ssl.CERT_OPTIONAL
    server_context.post_handshake_auth = True
    client_contexts = []
    for number, leaf in enumerate(leaves):
        pem = folder / f"{number}.pem"
        key = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(key + b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (leaf, issuer)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.post_handshake_auth = True
        context.load_cert_chain(pem)
        client_contexts.append(context)
    client_contexts[0].keylog_filename = str(folder / "keys")
    to_client, from_client, to_server, from_server = (ssl.MemoryBIO() for _ in range(4))
    client = client_contexts[0].wrap_bio(to_client, from_client, server_hostname="example.test")
    server = server_context.wrap_bio(to_server, from_server, server_side=True)
    said: list[Flight] = []

    def carry() -> None:
        for side, source, target in ((CLIENT, from_client, to_server), (SERVER, from_server, to_client)):
            if data := source.read():
                target.write(data)
                said.append((side, data))

    def ping() -> None:
        for sender, receiver in ((server, client), (client, server)) * 2:
            sender.write(b"ping")
            carry()
            receiver.read(10)

    for peer in (client, server) * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.do_handshake()
        carry()
    for context in client_contexts:
        client.context = context
        server.verify_client_post_handshake()
        ping()
    assert server.getpeercert(binary_form=True) == leaves[1].der
    return said, Path(folder, "keys").read_bytes(), (leaves[0], leaves[1], issuer)


def test_a_client_that_authenticates_with_another_certificate_afterwards(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        said, keys, (first, second, issuer) = authenticate_twice(Path(folder))
    keylog = KeyLog()
    keylog.feed(keys)
    one = session(said, keylog)
    assert one.handshake.certificates[CLIENT] == [first.der, issuer.der]
    ((severity, detail),) = changes(one)
    assert severity == "info"
    digest = hashlib.sha256(second.der).hexdigest()
    assert detail.startswith(f"the client sent another certificate than before, with the SHA-256 {digest};")
    (finding,) = [each for each in one.log.findings if each.code == "certificate_changed"]
    assert finding.frames == [[each.frame for each in one.log.messages if each.name.endswith("certificate")][-1]]
    record = session_record(one, False)
    assert record["authenticity"]["client_signature"] == "verified"  # each by the certificate of its own

    listing = Listing(Chains())
    listing.add(one)
    sent = {der: where.by() for der, where in listing.in_order()}
    assert [sent[made.der] for made in (first, issuer, second)] == [["client"]] * 3
    assert list(sent)[-1] == second.der

    with Folder(str(tmp_path / "out"), 1 << 20) as folder, Manifest(folder, {}) as manifest:
        contents = ExportedObjects(folder, manifest, (CERTIFICATES,))
        contents.end(one)
        assert contents.write({})
    files = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["files"]
    entries = {entry["certificate_sha256"]: entry for entry in files}
    listed = entries[digest]
    assert (listed["from"], listed["place"], listed["frame"]) == ("client", 0, finding.frames[0])
    assert entries[hashlib.sha256(first.der).hexdigest()]["frame"] < finding.frames[0]


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_another_server_is_worse_than_another_client(side: int) -> None:
    first, second = make_leaf(make_root()).der, make_leaf(make_root("Else")).der
    said = [*flights([first], client_chain=[first]), (side, again([second])), (side, again([second]))]
    one = session(said)
    assert one.handshake.certificates == [[first], [first]]
    assert [severity for severity, _ in changes(one)] == [("info", "medium")[side]]
    assert [(sender, chain) for sender, _, chain in one.log.certificate_changes] == [(side, [second])]


def test_the_same_certificates_again_are_no_news() -> None:
    chain = [make_leaf(make_root()).der]
    one = session([*flights(chain), (SERVER, again(chain))])
    assert changes(one) == []
    assert one.log.certificate_changes == []


def test_the_same_certificate_with_others_after_it_is_reported_as_such() -> None:
    root = make_root()
    leaf = make_leaf(root).der
    ((severity, detail),) = changes(session([*flights([leaf]), (SERVER, again([leaf, root.der]))]))
    assert severity == "info"
    assert detail.startswith("the server sent its certificate again, with others behind it")


def test_a_client_that_had_none_at_first_has_those_it_sends_later() -> None:
    leaf = make_leaf(make_root()).der
    one = session([*flights([leaf], client_chain=[]), (CLIENT, again([leaf]))])
    assert one.handshake.certificates[CLIENT] == [leaf]
    assert changes(one) == []


def test_very_many_lists_are_counted() -> None:
    said = flights([b"0"]) + [(SERVER, again([b"%d" % number])) for number in range(1, 2 * MAX_CHAINS)]
    one = session(said)
    assert len(one.log.certificate_changes) == MAX_CHAINS
    assert "limit" in [finding.code for finding in one.log.findings]
