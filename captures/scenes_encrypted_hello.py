"""The scenes of Encrypted Client Hello (RFC 9849), which OpenSSL 3.0 has not: both ends are Go's crypto/tls.

`encrypted_hello.go` speaks the session in memory and prints its flights. Go logs the TLS 1.3 secrets under the inner random, as
RFC 9850 wants it, and the program adds ECH_SECRET and ECH_CONFIG under the outer one. tshark 4.0 knows nothing of that, and is
asked with the same secrets under the random that it sees.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from endpoints import Exchange
from scene import Scene, Stated, UnavailableError

_SOURCE = Path(__file__).with_name("encrypted_hello.go")
_PUBLIC, _INNER = "public.example.com", "secret.example.com"
_GROUPS = {"X25519": "x25519", "CurveP256": "secp256r1"}
_HELLO_RANDOM = slice(11, 43)


def ech_accepted(scene: Scene) -> None:
    """TLS 1.3 with Encrypted Client Hello: the server takes the inner hello, whose name is another than that on the wire."""
    _speak(scene, "accept")


def ech_hello_retry_request(scene: Scene) -> None:
    """Encrypted Client Hello and a HelloRetryRequest, whose second hello is sealed too; the server takes the inner one."""
    _speak(scene, "retry")


def ech_rejected(scene: Scene) -> None:
    """Encrypted Client Hello for a key that the server has no more: it sends its new one, and the client says ech_required."""
    _speak(scene, "reject")


class _Spoken(Exchange):
    """A session that is over, with what its ends stated."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self.plaintext = {"client": told["sent"][0], "server": told["sent"][1]}
        self.failures = {"client": told["refusal"]} if told["refusal"] else {}

    def facts(self) -> dict[str, Any]:
        """As in the class above."""
        told = self._told
        return {
            "version": told["version"],
            "cipher": told["cipher_suite"],
            "alpn": told["alpn"],
            "resumed": False,
            "group": _GROUPS[told["group"]],
        }


def _speak(scene: Scene, kind: str) -> None:
    go = shutil.which("go")
    if go is None:
        raise UnavailableError("needs Go 1.24 or newer, whose crypto/tls has Encrypted Client Hello")
    identity = scene.authority.issue(_PUBLIC if kind == "reject" else _INNER)
    with tempfile.TemporaryDirectory() as aside:
        files = [Path(aside, name) for name in ("chain.pem", "key.pem", "root.pem")]
        for file, data in zip(files, (identity.chain_pem(), identity.key_pem(), scene.authority.root_pem()), strict=True):
            file.write_bytes(data)
        now = f"{datetime.fromtimestamp(scene.at // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"
        command = [go, "run", str(_SOURCE), kind, *map(str, files), now]
        environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
        told = json.loads(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    if told["accepted"] != (kind != "reject"):
        raise UnavailableError("the server did not take the hello that it should, or took another")
    conversation = scene.connect()
    for flight in told["flights"]:
        conversation.send(flight["side"], bytes.fromhex(flight["data"]))
    conversation.close()
    lines = told["key_log"].splitlines()
    scene.keys.write_text("".join(line + "\n" for line in lines), "ascii")
    outer = bytes.fromhex(told["flights"][0]["data"])[_HELLO_RANDOM].hex()
    words = [line.split() for line in lines]
    scene.keys_for_tshark = "".join(f"{label} {outer} {secret}\n" for label, _, secret in words if not label.startswith("ECH"))
    scene.tools["Go"] = told["go"]
    accepted: bool = told["accepted"]
    ech = {
        "status": "accepted" if accepted else "rejected",
        "config_id": 7,
        "public_name": _PUBLIC,
        "outer_server_name": _PUBLIC,
        "inner_server_name": _INNER,
    }
    extra = {"server_name": _INNER if accepted else _PUBLIC, "ech": ech}
    scene.stated.append(Stated(_Spoken(told), identity, extra=extra))


SCENES = (ech_accepted, ech_hello_retry_request, ech_rejected)
