"""Drops rights in child processes, which begin as root, and read /proc afterwards."""

import json
import os
import subprocess
import sys

import pytest
from live_network import Network

from analyzer.capture.live.privileges import capture_command, explain_missing, may_capture, missing_right, rights

IN_CI = os.environ.get("CI") == "true"
NOBODY = 65534


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        if IN_CI:
            pytest.fail("not root, and CI=true allows no test to be skipped", pytrace=False)
        pytest.skip("only root has rights to drop")


CHILD = """
import json, sys
from analyzer.capture.live.live_capture import LiveCapture
from analyzer.capture.live.privileges import drop, missing_right
capture = LiveCapture(["lo"])
capture.open()
result = {}
try:
    result["note"] = drop(*sys.argv[1:])
except Exception as error:
    result["error"] = f"{type(error).__name__}: {error}"
for line in open("/proc/self/status"):
    name, _, value = line.partition(":")
    result[name] = value.split()
result["missing"] = missing_right()
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"after", ("127.0.0.1", 9))
for reader in capture.packet_readers():
    if reader.advance():
        result["packet"] = reader.frame.data[reader.frame.start : reader.frame.end][42:47].decode()
        break
print(json.dumps(result))
"""


def child(*arguments: str, before: str = "", **variables: str) -> dict[str, object]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")} | variables
    command = [sys.executable, "-c", before + CHILD, *arguments]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    result: dict[str, object] = json.loads(ran.stdout)
    return result


def capabilities(result: dict[str, object]) -> list[object]:
    return [result[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]


NONE = ["0" * 16]


def test_started_through_sudo_nothing_is_left_and_the_capture_goes_on(network: Network) -> None:
    result = child(before="import os\nos.setgroups([4, 27])\n", SUDO_UID="1234", SUDO_GID="5678")
    assert result["Uid"] == ["1234"] * 4
    assert result["Gid"] == ["5678"] * 4
    assert result["Groups"] == []
    assert capabilities(result) == [NONE] * 5
    assert result["NoNewPrivs"] == ["1"]
    assert (result["note"], result["missing"], result["packet"]) == (None, "CAP_NET_RAW", "after")


def test_a_named_user_goes_before_the_one_of_sudo(network: Network) -> None:
    result = child("nobody", SUDO_UID="1234", SUDO_GID="5678")
    assert result["Uid"] == [str(NOBODY)] * 4
    assert capabilities(result) == [NONE] * 5
    assert result["packet"] == "after"


@pytest.mark.parametrize("variables", [{}, {"SUDO_UID": "0", "SUDO_GID": "0"}, {"SUDO_UID": "-1", "SUDO_GID": "x"}])
def test_root_itself_loses_its_capabilities_and_is_told(network: Network, variables: dict[str, str]) -> None:
    result = child(**variables)
    assert result["Uid"] == ["0"] * 4
    assert capabilities(result) == [NONE] * 5
    assert str(result["note"]).startswith("still user root, without capabilities")
    assert (result["missing"], result["packet"]) == ("CAP_NET_RAW", "after")


ONLY_NET_RAW = """
import ctypes, struct
libc = ctypes.CDLL(None)
assert libc.capset(struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 1 << 13, 1 << 13, 0, 0, 0, 0)) == 0
"""


def test_cap_net_raw_alone_is_enough(network: Network) -> None:
    result = child(before=ONLY_NET_RAW)
    assert result["packet"] == "after"
    assert [result[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [NONE] * 4
    assert result["missing"] == "CAP_NET_RAW"


def test_what_cannot_be_dropped_is_an_error_and_not_a_pretence(network: Network) -> None:
    result = child(before=ONLY_NET_RAW, SUDO_UID="1234", SUDO_GID="5678")
    assert str(result["error"]).startswith("CaptureError: rights cannot be dropped to user 1234")
    assert result["Uid"] == ["0"] * 4


def test_an_unknown_user_is_an_error(network: Network) -> None:
    assert child("no-such-user")["error"] == "CaptureError: there is no user no-such-user"


def test_other_threads_would_keep_their_rights(network: Network) -> None:
    thread = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    result = child(before=thread, SUDO_UID="1234", SUDO_GID="5678")
    assert "other threads" in str(result["error"])
    assert result["Uid"] == ["0"] * 4


def test_root_may_capture_and_lacks_nothing(network: Network) -> None:
    assert may_capture()
    assert missing_right() is None
    assert rights().users == (0, 0, 0, 0)
    assert rights().effective >> 13 & 1


def test_the_command_that_is_named_can_be_typed() -> None:
    assert capture_command().startswith("sudo /")
    assert capture_command().endswith(" live")
    assert capture_command("odd name").endswith(" live 'odd name'")
    assert explain_missing().count("sudo") == 2
    assert "\n" not in explain_missing()
