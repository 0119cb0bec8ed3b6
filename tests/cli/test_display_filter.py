"""`-Y`: on packets, on sessions and what is made of them, without a command, with its mistakes, and where nothing passes."""

import json
from pathlib import Path

from .conftest import Run

HANDSHAKE_FAILURE = 'tls.alert_message.desc == "Handshake Failure"'


def numbers(run: Run, *arguments: object, stdin: bytes = b"") -> list[int]:
    ran = run("packets", *arguments, "--format", "json", stdin=stdin)
    return [json.loads(line)["number"] for line in ran.out.splitlines()]


def sessions(run: Run, *arguments: object) -> list[int]:
    ran = run("sessions", *arguments, "--format", "json")
    return sorted(json.loads(line)["id"] for line in ran.out.splitlines())


def test_packets_that_pass_are_listed_in_one_pass_or_from_a_pipe(run: Run, demo: Path):
    hellos = numbers(run, demo, "-Y", 'tls.handshake.type == "Client Hello"')
    assert len(hellos) > 5
    assert numbers(run, "-", "-Y", 'tls.handshake.type == "Client Hello"', stdin=demo.read_bytes()) == hellos


def test_a_filter_without_a_command_lists_packets(run: Run, demo: Path):
    expected = run("packets", demo, "-Y", "dns", columns=100)
    assert len(expected.text.splitlines()) > 2
    assert run(demo, "-Y", "dns", columns=100).out == expected.out


def test_a_filter_that_knows_the_future_needs_a_file(run: Run, demo: Path):
    assert len(numbers(run, demo, "-Y", 'http.request.method == "GET"')) > 2
    ran = run("packets", "-", "-Y", "http.request", stdin=demo.read_bytes())
    complaint = "analyzer: -: for this filter, or these fields, this is read twice: save it to a file first"
    assert (ran.status, ran.complaint) == (2, complaint)


def test_a_session_passes_by_a_packet_or_by_its_own_fields(run: Run, demo: Path):
    assert sessions(run, demo, "-Y", HANDSHAKE_FAILURE) == [6]
    assert 6 in sessions(run, demo, "-Y", 'analyzer.outcome.result == "failed"')


def test_a_filter_and_a_part_go_together(run: Run, demo: Path):
    assert sessions(run, demo, "-Y", "tcp", "--host", "old.example") == [5]
    summary = json.loads(run("summary", demo, "-Y", "analyzer.session == 0", "--format", "json").out)
    assert summary["part"]["filter"] == "analyzer.session == 0"


def test_an_id_may_be_a_filter(run: Run, demo: Path):
    shown = run("show", demo, HANDSHAKE_FAILURE, "--format", "json")
    assert json.loads(shown.out)["id"] == 6
    several = run("show", demo, "tls.handshake.type == 1")
    assert several.status == 2
    assert "sessions pass tls.handshake.type == 1: 0, 1, " in several.complaint


def test_certificates_and_export_take_only_sessions_that_pass(run: Run, demo: Path, tmp_path: Path):
    ran = run("certificates", demo, "-Y", "analyzer.session == 5", "--format", "json")
    assert {one["subject"] for one in map(json.loads, ran.out.splitlines())} >= {"CN=old.example"}
    assert b"www.shop.example" not in ran.out
    assert run("certificates", demo, "-Y", "tcp.port == 1").text == "no certificates in the part that was chosen\n"
    ran = run("export", demo, "-o", tmp_path / "out", "-Y", "tcp.port == 1")
    assert ran.status == 2
    assert "no session is in the part that --since, --until, --host and -Y choose" in ran.err.decode()


def test_connections_without_tls_are_filtered_too(run: Run, demo: Path):
    assert run("http", demo, "-Y", "http.response.code == 404", "--format", "json").out == b""
    rows = run("http", demo, "-Y", "http.response.code == 301", "--format", "json").text.splitlines()
    assert [json.loads(row)["status"] for row in rows] == [301]
    assert run("follow", demo, "--stream", 0, "-Y", "tcp.port == 80").status == 0
    ran = run("follow", demo, "--stream", 0, "-Y", "dns")
    assert (ran.status, ran.out) == (2, b"")
    assert ran.complaint == "analyzer: no packet of this stream passes the filter of -Y"


def test_nothing_is_said_of_packets_that_were_not_looked_at(run: Run, demo: Path):
    ran = run("packets", demo, "-Y", "tls.handshake.type == 1", "-c", "2")
    assert ran.err.decode().splitlines() == [
        "analyzer: no packet passes tls.handshake.type == 1",
        "analyzer: only the packets that -c or the capture filter chooses were looked at",
        "analyzer: tls.handshake.type: no packet has it",
    ]


def test_nothing_passes_and_why_is_said(run: Run, demo: Path):
    ran = run("packets", demo, "-Y", "tcp.port == 4444 and sll")
    assert (ran.status, ran.err.decode().splitlines()[:2]) == (
        0,
        ["analyzer: no packet passes tcp.port == 4444 and sll", "analyzer: sll: no packet has it"],
    )
    assert (
        ran.err.decode()
        .splitlines()[2]
        .startswith("analyzer: tcp.port: packets that have it: 189, the most frequent values: 443 (179) / ")
    )


def test_a_mistake_is_said_before_anything_is_read(run: Run):
    ran = run("packets", "no-such-file.pcap", "-Y", "tcp.prt == 1")
    assert (ran.status, ran.text) == (2, "")
    assert "tcp.prt is neither a field nor a protocol" in ran.err.decode()
    assert "did you mean tcp.port" in ran.err.decode()


def test_a_reference_takes_its_value_from_the_selected_packet(run: Run, demo: Path):
    ran = run("packets", demo, "-Y", "tcp.stream == ${tcp.stream}")
    assert (ran.status, "--selected-frame" in ran.complaint) == (2, True)
    stream = numbers(run, demo, "-Y", "tcp.stream == ${tcp.stream}", "--selected-frame", "22")
    assert 22 in stream
    assert 30 in stream


def test_a_reference_may_be_to_what_a_first_reading_finds(run: Run, demo: Path):
    assert numbers(run, demo, "-Y", "tcp.stream - 1 == ${analyzer.session}", "--selected-frame", "72") == numbers(
        run, demo, "-Y", "tcp.stream == 1"
    )


def test_a_resumed_session_is_decrypted_without_its_first_connection_in_the_list(run: Run, demo: Path, tmp_path: Path):
    name = "tls12-session-id-resumption"
    folder = demo.parent / name
    keys = tmp_path / "first.keys"
    secrets = (folder / f"{name}.keys").read_text().splitlines()
    keys.write_text(next(line for line in secrets if line.startswith("CLIENT_RANDOM")) + "\n")
    ran = run("packets", folder / f"{name}.pcapng", "-k", keys, "-Y", "tcp.port == 49204")
    assert ", Finished" in ran.text


def test_that_nothing_passes_is_said_of_a_pipe_too(run: Run, demo: Path):
    ran = run("packets", "-", "-Y", "tcp.port == 1", stdin=demo.read_bytes())
    assert (ran.status, ran.complaint) == (0, "analyzer: no packet passes tcp.port == 1")


def test_a_pattern_that_takes_too_long_is_said(run: Run, demo: Path):
    ran = run("packets", demo, "-Y", r'frame matches r"((\w+)+)+\x00\x01zzzz"')
    assert ran.status == 0
    assert "took too many steps" in ran.err.decode()


def test_macros_come_from_a_file(run: Run, demo: Path, tmp_path: Path):
    macros = tmp_path / "dmacros"
    macros.write_text('"web" tcp.port in {80, $1}\n')
    assert numbers(run, demo, "-Y", "$web(443) and tcp.len", "--macros", macros) == numbers(
        run, demo, "-Y", "tcp.port in {80, 443} and tcp.len"
    )
