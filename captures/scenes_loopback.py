"""The scenes in which programs speak: curl and nginx recorded with tcpdump on loopback, and OpenSSL's own client and server."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from programs import (
    ProgramError,
    Relay,
    caddy,
    chromium,
    curl,
    http3_client,
    http3_server,
    nginx,
    openssl_client,
    openssl_server,
    sniff,
)
from scene import Scene, Stated, UnavailableError

_FILES = {
    "index.html": b"<!doctype html><title>Example</title><link rel=stylesheet href=style.css><p>It works.\n",
    "style.css": b"body { font: 1rem/1.5 serif; margin: 2rem auto; max-width: 40rem }\n" * 8,
    "data.json": b'{"readings": [' + b", ".join(b'{"hour": %d, "value": %d}' % (h, h * h % 17) for h in range(60)) + b"]}\n",
}


def curl_nginx_http1(scene: Scene) -> None:
    """curl asks nginx for two files over HTTP/1.1 and TLS 1.2 on loopback, recorded by tcpdump; one response is gzipped."""
    _record(scene, ("/index.html", "/data.json"), "--http1.1", "--tls-max", "1.2", "--compressed")


def curl_nginx_http2(scene: Scene) -> None:
    """curl asks nginx for three files over HTTP/2 and TLS 1.3 on loopback, recorded by tcpdump."""
    _record(scene, ("/index.html", "/style.css", "/data.json"), "--http2", "--compressed")


def chromium_aioquic_http3(scene: Scene) -> None:
    """Chromium opens a page of aioquic over HTTP/3 and QUIC 1 on loopback, recorded by tcpdump; one of its files is missing."""
    page = {"index.html": b"<!doctype html><link rel=stylesheet href=style.css><img src=missing.png><p>It works.\n"}
    scene.set_time(time.time_ns())
    scene.suffix = "pcap"
    identity = scene.authority.issue("www.example")
    scene.folder.parent.joinpath("aside").mkdir()
    scene.recording = scene.folder.parent / "aside" / "recorded.pcap"
    try:
        with http3_server(identity, {**_FILES, **page}) as (port, answered), sniff(port, scene.recording):
            shown = chromium(port, scene.keys, identity, "www.example")
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason
    if "It works." not in shown:
        raise UnavailableError("chromium did not show the page")
    scene.stated.append(Stated(None, identity, extra={"established": True, "resumed": False, "http": answered}))
    for program, option in (("chromium", "--version"), ("tcpdump", "--version")):
        done = subprocess.run([program, option], capture_output=True, text=True, check=True)
        scene.tools[program] = (done.stdout or done.stderr).splitlines()[0]


def aioquic_caddy_http3(scene: Scene) -> None:
    """aioquic asks Caddy for three files over HTTP/3 and QUIC 1 on loopback, recorded by tcpdump; one of them is missing."""
    scene.set_time(time.time_ns())
    scene.suffix = "pcap"
    identity = scene.authority.issue("www.example")
    aside = scene.folder.parent / "aside"
    aside.mkdir()
    scene.recording = aside / "recorded.pcap"
    large = {"large.txt": b"".join(b"line %d\n" % number for number in range(500))}
    try:
        with caddy(aside / "caddy", identity, {**_FILES, **large}) as port, sniff(port, scene.recording):
            answered = http3_client(port, scene.keys, "www.example", ("/style.css", "/missing.png", "/large.txt"))
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason
    if [one["response"]["status"] for one in answered] != [200, 404, 200]:
        raise UnavailableError("aioquic did not get the files")
    scene.stated.append(Stated(None, identity, extra={"established": True, "resumed": False, "http": answered}))
    for program, option in (("caddy", "version"), ("tcpdump", "--version")):
        done = subprocess.run([program, option], capture_output=True, text=True, check=True)
        scene.tools[program] = (done.stdout or done.stderr).splitlines()[0]


def tls13_key_update(scene: Scene) -> None:
    """TLS 1.3: openssl s_client updates its keys and asks openssl s_server for the same (RFC 8446, 4.6.3), then both go on."""
    identity = scene.authority.issue("www.example")
    try:
        with openssl_server(scene.folder.parent / "aside", identity) as port:
            relay = Relay(port)
            openssl_client(relay.port, scene.keys, "www.example", ("before the update", "K", "after the update", "Q"))
            said = relay.finish()
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason
    conversation = scene.connect()
    for side, data in said:
        conversation.send(side, data)
    conversation.close()
    scene.stated.append(Stated(None, identity, extra={"established": True, "resumed": False}))


def _record(scene: Scene, paths: tuple[str, ...], *options: str) -> None:
    scene.set_time(time.time_ns())
    scene.suffix = "pcap"
    identity = scene.authority.issue("www.example")
    aside = scene.folder.parent / "aside"
    aside.mkdir()
    scene.recording = aside / "recorded.pcap"
    try:
        with nginx(aside / "nginx", identity, _FILES) as port:
            scene.decode_as = (f"tcp.port=={port},tls",)
            with sniff(port, scene.recording):
                bodies = curl(port, scene.keys, "www.example", paths, *options)
    except ProgramError as reason:
        raise UnavailableError(str(reason)) from reason
    if bodies != [_FILES[Path(path).name] for path in paths]:
        raise UnavailableError("curl did not get the files")
    scene.stated.append(Stated(None, identity, extra={"established": True, "resumed": False}))
    for program, option in (("curl", "--version"), ("nginx", "-v"), ("tcpdump", "--version")):
        done = subprocess.run([program, option], capture_output=True, text=True, check=True)
        scene.tools[program] = (done.stdout or done.stderr).splitlines()[0]


SCENES = (
    curl_nginx_http1,
    curl_nginx_http2,
    chromium_aioquic_http3,
    aioquic_caddy_http3,
    tls13_key_update,
)
