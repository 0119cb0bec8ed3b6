"""The build under test: all of it compiled or none, made from the files of this checkout, and the same as `--version` says."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from analyzer.codec.build import HOT_MODULES, build

SUFFIXES = {".csv", ".pxd", ".py"}


def package_folder() -> Path:
    spec = find_spec("analyzer")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def contents(package: Path) -> dict[str, bytes]:
    return {path.relative_to(package).as_posix(): path.read_bytes() for path in package.rglob("*") if path.suffix in SUFFIXES}


def sources(compiled: Path) -> list[Path]:
    """Return the sources of a compiled module: its .py and .pxd."""
    stem = compiled.name.partition(".")[0]
    return [compiled.with_name(stem + suffix) for suffix in (".py", ".pxd")]


def test_version_says_which_build_is_under_test(build_under_test: str) -> None:
    done = subprocess.run([sys.executable, "-m", "analyzer", "--version"], capture_output=True, text=True, check=True)
    said = {"compiled": "(compiled, ", "interpreted": "(not compiled, "}[build_under_test]
    assert said in done.stdout
    assert done.stdout == build() + "\n"


def test_what_version_looks_at_is_listed_to_be_compiled(listed_modules: list[str]) -> None:
    assert set(HOT_MODULES) <= set(listed_modules)


def test_every_compiled_file_of_the_package_is_listed(listed_modules: list[str]) -> None:
    package = package_folder()
    found = {path for suffix in ("*.so", "*.pyd") for path in package.rglob(suffix)}
    names = {".".join([*path.relative_to(package.parent).parent.parts, path.name.partition(".")[0]]) for path in found}
    assert names <= set(listed_modules)


def test_the_package_under_test_is_made_of_these_sources(repository: Path) -> None:
    checkout, package = contents(repository / "analyzer"), contents(package_folder())
    differing = sorted(name for name in checkout.keys() | package.keys() if checkout.get(name) != package.get(name))
    assert differing == [], "the installed package is not of this checkout: remove build/ and pip install again"


def test_no_compiled_module_is_older_than_its_source(repository: Path, loaded_files: dict[str, Path]) -> None:
    """For a checkout with compiled files, as after `pip install -e .`; otherwise pip wrote both from one wheel."""
    in_checkout = [path for path in loaded_files.values() if path.suffix != ".py" and repository / "analyzer" in path.parents]
    if not in_checkout:
        pytest.skip("no compiled module stands beside its source in the checkout")
    stale = [path.name for path in in_checkout if any(s.stat().st_mtime > path.stat().st_mtime for s in sources(path))]
    assert stale == [], "edited since they were compiled"


def test_nothing_needs_cython_at_run_time() -> None:
    """It is a requirement of the build. Of the compiled modules, only annotations name it, and nobody evaluates them."""
    code = (
        "import configparser, importlib, sys\n"
        "sys.modules['cython'] = sys.modules['Cython'] = None\n"
        "settings = configparser.ConfigParser(); settings.read(sys.argv[1])\n"
        "for name in settings['analyzer:compiled']['modules'].split(): importlib.import_module(name)\n"
        "from analyzer.cli.main import main\n"
        "sys.exit(main(['sessions', '--json', sys.argv[2]]) or main(['packets', sys.argv[2]]))"
    )
    root = Path(__file__).resolve().parents[1]
    words = [sys.executable, "-c", code, str(root / "setup.cfg"), str(root / "captures" / "demo.pcapng")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"server_name":"www.shop.example"' in done.stdout
