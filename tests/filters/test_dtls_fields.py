"""The fields of DTLS: those of tshark, fragments, connection IDs and unified headers; and datagrams that are cut or no DTLS."""

import pytest
from filters.compare_fields import differences, names_known_to
from filters.field_readings import fields_of, readings
from filters.filter_oracle import NEWER

from analyzer.filters.field_table import field_table
from analyzer.filters.handshake_fields import datagram_fields, message_fields
from analyzer.filters.value_strings import rows


def capture_of(repository, name):
    """The capture of captures/ with that name, and its key log."""
    folder = repository / "captures" / name
    return folder / f"{name}.pcapng", folder / f"{name}.keys"


def values(repository, name, *fields, keys=False):
    """The values of these fields by the frames that have one."""
    path, log = capture_of(repository, name)
    found = readings(path, fields_of(*fields), log if keys else None, engine=True)
    return {frame: row[0] if len(fields) == 1 else row for frame, row in enumerate(found, 1) if any(row)}


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls12-fragments", "dtls12-connection-ids", "dtls13-cookie", "dtls13-loss"])
def test_fields_without_keys_are_those_of_tshark(repository, name):
    names = [name for name in names_known_to(NEWER) if name.startswith("dtls")]
    assert len(names) > 200
    assert differences(capture_of(repository, name)[0], names, NEWER) == {}


def test_dtls_has_the_fields_of_the_messages_of_tls_but_for_ssl2_and_quic():
    ours = set(datagram_fields())
    assert {name for name in ours if not name.startswith("dtls.")} == set()
    shared = {f"d{name}" for name in message_fields()}
    assert {"dtls.handshake.ciphersuite", "dtls.handshake.extensions_server_name", "dtls.handshake.cookie"} <= ours
    assert {"dtls.use_srtp.protection_profile", "dtls.connection_id"} <= ours
    assert not ours & {"dtls.handshake.challenge", "dtls.quic.parameter.max_idle_timeout", "dtls.handshake.npn_padding"}
    assert len(ours & shared) > 150
    assert all(field_table().get(name) is not None for name in (*ours, *(row["name"] for row in rows("dtls_fields"))))


def test_fragments_have_their_headers_and_the_last_one_the_message(repository):
    found = values(
        repository, "dtls10-rsa", "dtls.handshake.type", "dtls.handshake.fragment_offset", "dtls.handshake.certificate"
    )
    assert found[4][0] == [2, 11]
    assert [frame for frame, row in found.items() if row[2]] == [10]
    assert all(row[1][-1] > 0 for frame, row in found.items() if 5 <= frame <= 9)


def test_a_hello_that_is_sent_again_has_its_fields_again(repository):
    found = values(repository, "dtls12-connection-ids", "dtls.handshake.cookie")
    assert len(found) == 3
    assert list(found) == [2, 3, 8]
    assert len({value for row in found.values() for value in row}) == 1


def test_connection_ids_stand_where_the_hellos_say(repository):
    found = values(repository, "dtls12-connection-ids", "dtls.record.connection_id", "dtls.record.special_type")
    assert {bytes(one) for row in found.values() for one in row[0]} == {b"\x0c", b"\x5e\x4e\x5e\x4e\x5e\x4e"}
    assert all(row[1] == [25] for row in found.values())
    later = values(repository, "dtls13-connection-ids", "dtls.record.connection_id", "dtls.unified_header.cid_present")
    assert {bytes(one) for row in later.values() for one in row[0]} == {b"\x0c", b"\x5e\x4e\x5e\x4e\x5e\x4e"}
    assert all(row[1] == [True] for row in later.values())


def test_the_profiles_of_srtp_are_decoded(repository):
    found = values(repository, "dtls12-srtp", "dtls.use_srtp.protection_profile")
    assert found == {1: [1, 7], 3: [1, 7], 4: [1]}


def test_tls_has_no_fields_where_dtls_has(repository):
    assert values(repository, "dtls12-cookie", "tls") == {}
    assert values(repository, "dtls12-cookie", "tls.handshake.type") == {}
    assert set(values(repository, "dtls12-cookie", "dtls.stream")) == set(range(1, 11))


def test_frames_name_their_protocol(repository):
    found = values(repository, "dtls12-cookie", "frame.protocols")
    assert found[1] == ["eth:ethertype:ip:udp:dtls"]
    assert found[4][0].startswith("eth:ethertype:ip:udp:dtls:x509sat")
