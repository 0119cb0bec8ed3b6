"""The command line that tshark gets."""

import ast
import inspect
import re
import subprocess
from pathlib import Path

import pytest

from analyzer.crosscheck import quic_facts, tshark_dtls, tshark_facts
from analyzer.crosscheck.tshark_settings import FIELDS, FRAMES, PREFERENCES, arguments, one_key_log

CAPTURES = Path(__file__).resolve().parents[2] / "captures"


@pytest.mark.peer("tshark")
def test_tshark_knows_every_preference_and_field(tmp_path: Path):
    key = tmp_path / 'a "quoted" \\ name.pem'
    words = arguments(str(tmp_path / "keys.log"), [str(key)])
    command = ["tshark", "-n", *words, "-Y", FRAMES, "-c", "1", "-T", "pdml", "-r", str(CAPTURES / "demo.pcapng")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "unknown" not in done.stderr.lower()
    assert "isn't" not in done.stderr
    known = subprocess.run(["tshark", "-G", "defaultprefs"], capture_output=True, text=True, check=True).stdout
    assert [name for name, _ in PREFERENCES if f"\n#{name}: " not in known] == []


def test_one_key_log_is_given_as_it_is():
    with one_key_log([]) as path:
        assert path is None
    with one_key_log(["/some/keys.log"]) as path:
        assert path == "/some/keys.log"


def test_several_key_logs_become_one_that_is_in_no_folder(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(f"CLIENT_RANDOM {name}".encode())
    with one_key_log([str(tmp_path / "a"), str(tmp_path / "b")]) as path:
        assert path is not None
        assert Path(path).read_bytes() == b"CLIENT_RANDOM a\nCLIENT_RANDOM b\n"
        assert "memfd" in str(Path(path).readlink())
    assert not Path(path).exists()


def test_every_field_that_is_read_is_kept():
    """The names in the code that reads them are those of the list, and the other way round."""
    source = "".join(Path(inspect.getfile(module)).read_text() for module in (tshark_facts, quic_facts, tshark_dtls))
    words = {
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    read = {word for word in words if re.fullmatch(r"(tcp|udp|tls|dtls|quic|http|http2|http3)(\.\w+)+", word)}
    read |= {f"d{word}" for word in read if re.match(r"tls\.(handshake|alert)", word)}  # DTLS has them under its own name
    assert read == {name for name in FIELDS if not name.startswith("ip")} - {"num"}
