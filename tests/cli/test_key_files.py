"""Keys from files: in every form, with passwords from a file or from the terminal. No secret is ever printed."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from .conftest import Run

PASSWORD = b"correct horse"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def written(key: rsa.RSAPrivateKey, tmp_path: Path) -> dict[str, Path]:
    """The key in its forms, and files with passwords."""
    encryption = BestAvailableEncryption(PASSWORD)
    forms = {
        "plain.pem": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "locked.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
        "locked.der": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption),
        "locked.p12": pkcs12.serialize_key_and_certificates(b"key", key, None, None, encryption),
        "open.p12": pkcs12.serialize_key_and_certificates(b"key", key, None, None, NoEncryption()),
        "right": PASSWORD + b"\n",
        "wrong": b"incorrect\n",
    }
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in forms}


@pytest.mark.parametrize("name", ["plain.pem", "open.p12"])
def test_a_key_without_a_password(run: Run, demo: Path, written: dict[str, Path], name: str):
    assert run("sessions", demo, "--rsa-key", written[name]).status == 0


@pytest.mark.parametrize("name", ["locked.pem", "locked.der", "locked.p12"])
def test_a_password_from_a_file(run: Run, demo: Path, written: dict[str, Path], name: str):
    given = ("--password-file", written["wrong"], "--password-file", written["right"])
    assert run("sessions", demo, "--rsa-key", written[name], *given).status == 0
    refused = run("sessions", demo, "--rsa-key", written[name], "--password-file", written["wrong"])
    assert refused.status == 2
    assert "password" in refused.complaint
    assert "incorrect" not in refused.complaint
    assert "(--password-file FILE)" in run("sessions", demo, "--rsa-key", written[name]).complaint


def test_a_password_is_asked_for_on_the_terminal(demo: Path, written: dict[str, Path], repository: Path):
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(repository)
        os.environ["ANALYZER_PAGER"] = ""  # nobody would leave it
        os.execv(
            sys.executable, [sys.executable, "-m", "analyzer", "show", str(demo), "0", "--rsa-key", str(written["locked.p12"])]
        )
    said = b""
    answers = [b"wrong\n", PASSWORD + b"\n"]
    while select.select([terminal], [], [], 30)[0]:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the child has ended
            break
        said += data
        if answers and said.count(b"Password of") > 2 - len(answers) and said.endswith(b": "):
            os.write(terminal, answers.pop(0))
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(terminal)
    assert status == 0
    assert said.count(b"Password of") == 2
    assert PASSWORD not in said
    assert b"www.shop.example" in said


def test_pre_shared_keys_are_read_and_bad_ones_are_reported(run: Run, demo: Path, tmp_path: Path):
    file = tmp_path / "psk"
    file.write_bytes(b"Client_identity 00112233\n")
    assert run("sessions", demo, "--psk-file", file).status == 0
    file.write_bytes(b"Client_identity topsecret\n")
    refused = run("sessions", demo, "--psk-file", file)
    assert (refused.status, refused.complaint) == (2, f"analyzer: {file}: line 1: the key is not hex")


def test_standard_input_can_be_used_only_once(run: Run, demo: Path):
    assert run("sessions", demo, "-k", "-", "--rsa-key", "-").complaint == "analyzer: -: standard input can be read only once"
    assert "at once" in run("summary", "-", "--psk-file", "-").complaint


@pytest.mark.parametrize("command", ["summary", "packets", "sessions"])
def test_every_command_takes_keys(run: Run, captures: Path, command: str):
    folder = captures / "tls13-rsa"
    without = run(command, folder / "tls13-rsa.pcapng")
    given = run(command, folder / "tls13-rsa.pcapng", "-k", folder / "tls13-rsa.keys")
    assert (without.status, given.status) == (0, 0)
    if command == "packets":
        assert "Finished" in given.text
        assert "Finished" not in without.text.replace("Encrypted Handshake Message", "")


def test_no_process_list_shows_a_password(repository: Path):
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "sessions", "--help"], capture_output=True, text=True, cwd=repository, check=True
    )
    assert "--password-file FILE" in done.stdout
    assert "--password " not in done.stdout
