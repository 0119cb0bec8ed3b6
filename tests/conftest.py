"""Reports which build of which files is tested, and provides what a test may need besides the package.

The installed package is tested. `python -m pytest` puts the working directory first in the import path, and so would test the
uncompiled checkout without notice. Therefore that entry is removed, here and for programs that tests start. To test the
checkout, set PYTHONPATH. `--build compiled` or `--build interpreted` ends a run of another build.
"""

import configparser
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from limited import disk_of
from live_network import Network, new_network

ROOT = Path(__file__).resolve().parents[1]

IN_CI = os.environ.get("CI") == "true"


def _import_only_what_was_asked_for() -> None:
    asked_for = [Path(entry).resolve() for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if ROOT not in asked_for:
        sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
        os.environ["PYTHONSAFEPATH"] = "1"


_import_only_what_was_asked_for()
settings.register_profile("any machine", settings(), deadline=None)  # a busy one takes seconds for what else takes none
settings.load_profile("any machine")
os.environ["LC_ALL"] = "C.UTF-8"  # the text is English unless a test asks for another language
os.environ.setdefault("ANALYZER_CORPUS", str(ROOT.parent / "shared" / "corpus"))


def _listed_modules() -> list[str]:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["analyzer:compiled"]["modules"].split()


def _loaded_files() -> dict[str, Path]:
    files = {}
    for name in _listed_modules():
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            files[name] = Path(spec.origin)
    return files


def _build_under_test() -> str:
    """Return `compiled` or `interpreted`; a mixture is a usage error."""
    files = _loaded_files()
    plain = sorted(name for name in _listed_modules() if name not in files or files[name].suffix == ".py")
    if not plain:
        return "compiled"
    if len(plain) == len(_listed_modules()):
        return "interpreted"
    raise pytest.UsageError(f"partly compiled, install again: not compiled are {', '.join(plain)}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--build", choices=("compiled", "interpreted"), help="the build that has to be under test")


def pytest_configure(config: pytest.Config) -> None:
    if find_spec("analyzer") is None:
        raise pytest.UsageError("analyzer is not installed here: pip install '.[test]', or PYTHONPATH=. to test the checkout")
    build, wanted = _build_under_test(), config.getoption("--build")
    if wanted is not None and build != wanted:
        raise pytest.UsageError(f"the {build} build is under test, and --build asks for the {wanted} one")


def pytest_report_header() -> str:
    package = find_spec("analyzer")
    assert package is not None
    return f"analyzer: {_build_under_test()} build, from {Path(str(package.origin)).parent}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.line(f"analyzer: {_build_under_test()} build")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("peer"):
        _require(*marker.args)
    if item.get_closest_marker("corpus") and not _corpus().is_dir():
        pytest.skip(f"no captures with known answers in {_corpus()}; ANALYZER_CORPUS names their folder")


def _require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and IN_CI:
        pytest.fail(f"not installed, and CI=true allows no test to be skipped for that: {', '.join(missing)}", pytrace=False)
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def _corpus() -> Path:
    return Path(os.environ["ANALYZER_CORPUS"])


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of the captures with known answers; a test that uses it is skipped if the folder does not exist."""
    if not _corpus().is_dir():
        pytest.skip(f"no captures with known answers in {_corpus()}; ANALYZER_CORPUS names their folder")
    return _corpus()


@pytest.fixture(scope="session")
def require_peers() -> Callable[..., None]:
    """The function of the mark `peer`, for fixtures: it takes names of programs."""
    return _require


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def listed_modules() -> list[str]:
    """The modules that setup.cfg lists to be compiled."""
    return _listed_modules()


@pytest.fixture(scope="session")
def loaded_files() -> dict[str, Path]:
    """Maps each module that is listed to be compiled to the file that an import of it loads."""
    return _loaded_files()


@pytest.fixture(scope="session")
def build_under_test() -> str:
    """`compiled` or `interpreted`."""
    return _build_under_test()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can read and write. Those of `tmp_path` are in one that is private."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@pytest.fixture
def network(require_peers: Callable[..., None]) -> Iterator[Network]:
    """A network namespace for this test. It needs root, and a kernel or container that allows it."""
    require_peers("ip")
    with ExitStack() as stack:
        try:
            made = stack.enter_context(new_network())
        except PermissionError as error:
            pytest.skip(f"no new network namespace: {error}")
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with a disk of 256 KiB, which only the test and the processes that it starts see."""
    with ExitStack() as stack:
        try:
            stack.enter_context(disk_of(1 << 18, tmp_path))
        except PermissionError:
            pytest.skip("no right to mount a disk here (CAP_SYS_ADMIN)")
        yield tmp_path
