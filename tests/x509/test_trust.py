import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import certifi
import pytest
from cryptography import x509

from analyzer.x509 import trust
from analyzer.x509.pem import write_block
from analyzer.x509.trust import Trust, Unreadable, read_store

from .making import make

ROOT = make(x509.BasicConstraints(True, None))
OTHER = make(x509.BasicConstraints(True, 3))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "roots.pem"
    path.write_bytes(write_block(ROOT) + write_block(OTHER) + write_block(ROOT))
    os.utime(path, (1_600_000_000, 1_600_000_000))  # which is no date of its content
    return path


def test_mozilla_is_what_certifi_ships() -> None:
    store = read_store("mozilla")
    with warnings.catch_warnings(action="ignore"):
        theirs = x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())
    assert len(store.roots) == len(theirs) > 100
    assert store.source == f"certifi {certifi.__version__}"
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", store.date)
    assert store.newest() == max(one.not_valid_before_utc for one in theirs).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert store.newest()[:10] <= store.date


def test_a_file_has_the_date_of_its_newest_root_and_each_root_once(bundle: Path) -> None:
    store = read_store(str(bundle))
    assert store.roots == (ROOT, OTHER)
    assert store.record() == {"store": str(bundle), "source": "file", "date": "2020-01-01", "roots": 2}
    assert store.newest() == "2020-01-01T00:00:00Z"


def test_several_stores_are_one(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "other.der").write_bytes(OTHER)
    both = Trust([str(tmp_path / "other.der"), str(bundle), str(bundle)])
    assert both.roots == (OTHER, ROOT)
    assert [entry["roots"] for entry in both.record()] == [1, 2]


def test_the_system_s_roots(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    store = read_store("system")
    assert (store.name, store.path, store.roots) == ("system", str(bundle), (ROOT, OTHER))
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setattr(trust, "SYSTEM_PATHS", ("/does/not/exist", str(bundle)))
    assert read_store("system").path == str(bundle)
    monkeypatch.setattr(trust, "SYSTEM_PATHS", ())
    with pytest.raises(Unreadable, match="usual places"):
        Trust(["system"])


def test_a_missing_file_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"none\.pem: No such file"):
        Trust([str(tmp_path / "none.pem")])
    with pytest.raises(Unreadable, match="null"):
        Trust(["nul\0l"])


def test_a_file_without_certificates_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_bytes(b"nothing")
    with pytest.raises(Unreadable, match="none in the file"):
        read_store(str(path))


def test_nothing_is_read_before_it_is_used() -> None:
    code = (
        "import sys; from analyzer.x509.trust import Trust; Trust(); sys.exit('certifi' in sys.modules or 'ssl' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
