"""The preferences of tshark among the values of -o."""

from argparse import Namespace

import pytest

from analyzer.cli.output import CommandError
from analyzer.cli.preferences import take_preferences

from .conftest import Run


def taken(*values):
    options = Namespace(output=list(values), keylog=["own.keys"], rsa_key=[])
    take_preferences(options)
    return options


def test_a_key_log_is_one_as_with_k():
    options = taken("tls.keylog_file:a:b.keys", "out.json", "ssl.keylog_file:c.keys")
    assert (options.keylog, options.output) == (["own.keys", "a:b.keys", "c.keys"], ["out.json"])


def test_a_list_of_keys_names_files():
    assert taken("tls.keys_list:192.0.2.1,443,http,a.pem;,,,b.pem").rsa_key == ["a.pem", "b.pem"]
    assert taken('uat:rsa_keys:"a.pem",""').rsa_key == ["a.pem"]


@pytest.mark.parametrize("value", ["tcp.desegment_tcp_streams:TRUE", "nameres.network_name:false", "ip.check_checksum:FALSE"])
def test_how_captures_are_read_anyway_is_accepted(value):
    assert taken(value).output is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("tcp.relative_sequence_numbers:FALSE", "always TRUE"),
        ("foo.bar:1", r"\./foo\.bar:1"),
        ("tls.keys_list:1,2", "address,port,protocol,file"),
        ("tls.keys_list:1,443,http,a.pem,secret", "password"),
        ('uat:rsa_keys:"a.pem","secret"', "password"),
        ("uat:psks:1", "rsa_keys"),
    ],
)
def test_others_are_refused(value, why):
    with pytest.raises(CommandError, match=why) as found:
        taken(value)
    assert "secret" not in str(found.value)


@pytest.mark.parametrize("value", ["out.json", "./a.b:c", "C:/out.json", "out", "a:b"])
def test_files_are_files(value):
    assert taken(value).output == [value]


def test_sessions_are_decrypted_with_it(run: Run, captures):
    folder = captures / "tls12-rsa-key-exchange"
    key = folder / "tls12-rsa-key-exchange.key.pem"
    found = run("sessions", folder / "tls12-rsa-key-exchange.pcapng", "--json", "-o", f"tls.keys_list:,443,http,{key}")
    assert b'"decryption":{"status":"decrypted"' in found.out
