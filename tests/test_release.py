"""What is said of a release agrees: its number, its date, its installation, its image and its workflows."""

import configparser
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import analyzer

ROOT = Path(__file__).resolve().parents[1]
READMES = [(ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md")]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser


def test_the_changelog_has_this_version():
    page = (ROOT / "CHANGELOG.md").read_text("utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", page, re.MULTILINE)
    assert released[0] == analyzer.__version__
    assert released == sorted(released, key=lambda one: [int(part) for part in one.split(".")], reverse=True)


@pytest.mark.parametrize("page", READMES, ids=["en", "zh"])
def test_the_readmes_show_this_version(page: str):
    assert re.findall(r"^    analyzer (\S+) \(compiled", page, re.MULTILINE) == [analyzer.__version__]


@pytest.mark.parametrize("page", READMES, ids=["en", "zh"])
def test_the_first_lines_install_into_an_environment_of_their_own(page: str):
    """Debian refuses pip outside of one (PEP 668), and has venv, compiler and headers in packages of their own."""
    (lines,) = re.findall(r"(?:^    .+\n)*^    venv/bin/pip install \.\n(?:^    .+\n)*", page, re.MULTILINE)
    packages, venv, _, first = (line.strip() for line in lines.splitlines())
    assert set(packages.removeprefix("sudo apt install ").split()) == {"python3-venv", "python3-dev", "gcc"}
    assert venv == "python3 -m venv venv"
    assert first == "venv/bin/analyzer captures/demo.pcapng"
    assert (ROOT / "captures" / "demo.pcapng").is_file()


def test_cython_is_needed_to_build_only(settings: configparser.ConfigParser):
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    assert any(one.startswith("Cython") for one in build)
    assert "cython" not in settings["options"]["install_requires"].lower()


def test_the_image_has_the_program_of_this_package(settings: configparser.ConfigParser):
    assert [line.split(" = ")[0] for line in settings["options.entry_points"]["console_scripts"].split("\n") if line] == [
        "analyzer"
    ]
    assert 'ENTRYPOINT ["analyzer"]' in DOCKERFILE
    images = re.findall(r"^FROM python:3\.(\d+)-", DOCKERFILE, re.MULTILINE)
    assert len(images) == 2
    known = settings["metadata"]["classifiers"].split("\n")
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in images} <= set(known)
    last = DOCKERFILE.rpartition("FROM")[2]
    assert re.search(r"^USER (?!0\b|root)", last, re.MULTILINE)
    assert "gcc" not in last


@pytest.mark.parametrize("page", READMES, ids=["en", "zh"])
def test_the_commands_of_the_image_agree_with_it(page: str):
    (build,) = re.findall(r"^    docker build (.+)$", page, re.MULTILINE)
    (run,) = re.findall(r"^    docker run (.+)$", page, re.MULTILINE)
    name = build.split()[build.split().index("-t") + 1]
    (folder, inside) = re.findall(r'"\$PWD/(\w+):(/\w+):ro"', run)[0]
    (workdir,) = re.findall(r"^WORKDIR (\S+)", DOCKERFILE.rpartition("FROM")[2], re.MULTILINE)
    image, capture = run.split()[-2:]
    assert (image, inside) == (name, workdir)
    assert (ROOT / folder / capture).is_file()


def test_what_the_image_leaves_out_is_not_needed():
    """Of the folders in the repository, the package needs itself and the captures: a link in it leads to them."""
    ignored = {line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")}
    assert not ignored & {"analyzer", "captures", "setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflows(path: Path):
    workflow = yaml.safe_load(path.read_text("utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    runs = [step["run"] for step in steps if "run" in step]
    wanted = {"check.yml": ".ci/run", "wheels.yml": "python -m cibuildwheel"}[path.name]
    assert any(wanted in run for run in runs)
    assert workflow["permissions"] == {"contents": "read"}


def test_the_check_can_be_run():
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
