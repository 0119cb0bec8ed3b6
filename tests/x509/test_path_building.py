"""Paths through graphs of certificates: usual ones, and those made to take a very long time."""

from itertools import permutations

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hierarchy import AT, Made, ec_key, hierarchy, make, make_intermediate, make_leaf, make_root

from analyzer.x509.certificate_view import CertificateView, certificate_view
from analyzer.x509.path_building import FREE_SIGNATURES, FREE_STEPS, LENGTH, PATHS, SIGNATURES, Names, Path, Search, Signatures

SECONDS = int(AT.timestamp())


def _names(*made: Made) -> Names:
    return Names(certificate_view(one.der) for one in made)


def _search(roots: Names, *pools: Names) -> Search:
    return Search(roots, pools, SECONDS, Signatures())


def _ders(path: Path) -> list[bytes]:
    return [one.der for one in path.certificates]


def test_the_path_of_a_plain_hierarchy() -> None:
    made = hierarchy()
    (path,) = _search(_names(made.root), _names(made.intermediate)).paths(certificate_view(made.leaf.der))
    assert _ders(path) == [made.leaf.der, made.intermediate.der, made.root.der]
    assert path.trusted
    assert [outcome.result for outcome in path.signatures] == ["good", "good"]


def test_a_path_ends_where_no_issuer_is_known() -> None:
    made = hierarchy()
    search = _search(_names(make_root("Other")), _names(made.intermediate))
    (path,) = search.paths(certificate_view(made.leaf.der))
    assert _ders(path) == [made.leaf.der, made.intermediate.der]
    assert not path.trusted
    assert search.asked == {certificate_view(made.leaf.der).issuer, certificate_view(made.intermediate.der).issuer}


def test_an_issuer_with_a_wrong_key_is_followed_if_there_is_no_other() -> None:
    made = hierarchy()
    false = make_intermediate(made.root, key=ec_key("false"))
    (path,) = _search(_names(made.root), _names(false, made.intermediate)).paths(certificate_view(made.leaf.der))
    assert path.certificates[1].der == made.intermediate.der
    # The key identifiers differ, so the false one is another authority with the same name, and not the issuer.
    (path,) = _search(_names(made.root), _names(false)).paths(certificate_view(made.leaf.der))
    assert len(path.certificates) == 1
    forged = make_leaf(made.intermediate, signer=ec_key("false"))
    (path,) = _search(_names(made.root), _names(made.intermediate)).paths(certificate_view(forged.der))
    assert [outcome.result for outcome in path.signatures] == ["bad", "good"]


def test_a_root_in_the_store_ends_a_path_at_once() -> None:
    made = hierarchy()
    (path,) = _search(_names(made.intermediate, made.root)).paths(certificate_view(made.leaf.der))
    assert _ders(path) == [made.leaf.der, made.intermediate.der]
    (path,) = _search(_names(made.leaf)).paths(certificate_view(made.leaf.der))
    assert _ders(path) == [made.leaf.der]
    assert path.trusted


def test_a_graph_in_which_all_sign_each_other_is_searched_within_bounds() -> None:
    keys = {subject: make_root(subject) for subject in (f"Authority {i}" for i in range(12))}
    mesh = [make_intermediate(keys[issuer], subject) for issuer, subject in permutations(keys, 2)]
    leaf = make_leaf(keys["Authority 0"])
    signatures = Signatures()
    search = Search(_names(make_root("Elsewhere")), (_names(*mesh),), SECONDS, signatures)
    paths = list(search.paths(certificate_view(leaf.der)))
    assert len(paths) == PATHS
    assert search.ended
    assert not any(path.trusted for path in paths)
    assert all(len(path.certificates) <= 13 for path in paths)
    assert signatures.n_checked <= SIGNATURES


def test_the_way_out_of_such_a_graph_is_found() -> None:
    keys = {subject: make_root(subject) for subject in (f"Authority {i}" for i in range(6))}
    mesh = [make_intermediate(keys[issuer], subject) for issuer, subject in permutations(keys, 2)]
    root = make_root("Elsewhere")
    way_out = make_intermediate(root, "Authority 5", key=keys["Authority 5"].key)
    leaf = make_leaf(keys["Authority 0"])
    search = _search(_names(root), _names(*mesh, way_out))
    assert any(path.trusted for path in search.paths(certificate_view(leaf.der)))


def test_very_many_keys_under_one_name_cost_a_bounded_number_of_checks() -> None:
    issuers = [make("Authority", key=ec_key(f"key {i}")) for i in range(SIGNATURES + 20)]
    leaf = make("Leaf", make("Authority", key=ec_key("a key that nobody has")))
    signatures = Signatures()
    search = Search(_names(), (_names(*issuers),), SECONDS, signatures)
    assert len(list(search.paths(certificate_view(leaf.der)))) == 1
    assert signatures.n_checked == SIGNATURES
    assert search.ended


def test_leaf_after_leaf_under_such_a_name_costs_a_bounded_number_of_checks_too() -> None:
    issuers = _names(*(make("Authority", key=ec_key(f"key {i}")) for i in range(SIGNATURES)))
    liar = make("Authority", key=ec_key("a key that nobody has"))
    signatures = Signatures()
    signatures.left = 3 * SIGNATURES
    for serial in range(1, 31):
        search = Search(_names(), (issuers,), SECONDS, signatures)
        assert len(list(search.paths(certificate_view(make("Leaf", liar, serial=serial).der)))) == 1
        assert search.ended == (serial > 3)
    assert 3 * SIGNATURES <= signatures.n_checked <= 3 * SIGNATURES + 30 * FREE_SIGNATURES


def test_graph_after_graph_costs_a_bounded_number_of_steps() -> None:
    roots = [make_root(f"Authority {i}") for i in range(10)]
    mesh = [
        make_intermediate(issuer, subject.certificate.subject.rfc4514_string()[3:])
        for subject, issuer in permutations(roots, 2)
    ]
    pool = _names(*mesh)
    signatures = Signatures()
    signatures.steps = 10 * FREE_STEPS
    numbers = []
    for serial in range(1, 31):
        search = Search(_names(), (pool,), SECONDS, signatures)
        numbers.append(len(list(search.paths(certificate_view(make_leaf(mesh[0], serial=serial).der)))))
        assert search.ended
    assert numbers[0] == PATHS
    assert 0 < numbers[-1] < PATHS // 4
    assert signatures.steps > -FREE_STEPS * LENGTH


def test_an_honest_chain_is_judged_whatever_the_run_has_cost() -> None:
    chain = hierarchy()
    signatures = Signatures()
    signatures.left = signatures.steps = 0
    search = Search(_names(chain.root), (_names(chain.intermediate),), SECONDS, signatures)
    assert [path.trusted for path in search.paths(certificate_view(chain.leaf.der))] == [True]
    assert not search.ended


def test_checks_by_long_keys_count_for_more() -> None:
    moduli = [(1 << 16383) + 2 * i + 1 for i in range(SIGNATURES)]
    issuers = [certificate_view(make("Authority").der) for _ in moduli]
    for issuer, modulus in zip(issuers, moduli, strict=True):
        key = rsa.RSAPublicNumbers(65537, modulus).public_key()
        issuer.spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf = make("Leaf", make("Authority", key=ec_key("a key that nobody has")))
    signatures = Signatures()
    search = Search(_names(), (Names(issuers),), SECONDS, signatures)
    assert len(list(search.paths(certificate_view(leaf.der)))) == 1
    assert signatures.n_checked < SIGNATURES // 4
    assert search.ended


def test_a_path_has_an_end() -> None:
    line = [make_root("Authority 0")]
    for i in range(1, LENGTH + 5):
        line.append(make_intermediate(line[-1], f"Authority {i}"))
    search = _search(_names(line[0]), _names(*line[1:]))
    (path,) = search.paths(certificate_view(line[-1].der))
    assert len(path.certificates) == LENGTH
    assert not path.trusted
    assert search.ended


def test_checks_are_remembered_by_certificate_and_key() -> None:
    made = hierarchy()
    signatures = Signatures()
    leaf, issuer = CertificateView(made.leaf.der), CertificateView(made.intermediate.der)
    assert signatures.known(leaf, issuer) is None
    assert signatures.check(leaf, issuer) is signatures.check(leaf, issuer) is signatures.known(leaf, issuer)
    assert signatures.n_checked == 1
