"""A time-stamp authority of the tests: `openssl ts -reply` behind a small HTTP server, with certificates made for it."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIGURATION = """
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""

EXTENSIONS = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,{usage}\n"

Answer = Callable[[bytes], tuple[int, str, bytes]]


def openssl(*words: object) -> bytes:
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


@dataclass
class TimeStampAuthority:
    """url: where it is asked. ca, certificate: files. answer: makes status, media type and body of a request."""

    folder: Path
    usage: str = "timeStamping"
    url: str = ""
    answer: Answer | None = None
    requests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.ca, self.certificate = self.folder / "ca.pem", self.folder / "tsa.pem"
        make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 30, "-addext", "keyUsage=critical,keyCertSign"]
        openssl(*make, "-subj", "/CN=Test CA", "-keyout", self.folder / "ca.key", "-out", self.ca)
        request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Test TSA", "-keyout", self.folder / "tsa.key"]
        openssl(*request, "-out", self.folder / "tsa.csr")
        (self.folder / "ext").write_text(EXTENSIONS.format(usage=self.usage))
        sign = ["x509", "-req", "-in", self.folder / "tsa.csr", "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-days", 20]
        openssl(*sign, "-set_serial", 7, "-extfile", self.folder / "ext", "-out", self.certificate)
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=self.folder))

    def reply(self, request: bytes) -> bytes:
        """The response of openssl to a request."""
        (self.folder / "request").write_bytes(request)
        words = ["ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", self.folder / "request"]
        return openssl(*words)

    @contextmanager
    def running(self) -> Iterator["TimeStampAuthority"]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                authority.requests.append(body)
                if authority.answer is None:
                    status, kind, content = 200, "application/timestamp-reply", authority.reply(body)
                else:
                    status, kind, content = authority.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
