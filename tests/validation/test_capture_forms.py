"""The packets of the material in every other form: times are those of the analyzer's reader; what is no capture is refused."""

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.validation.capture_bytes import packets_in
from analyzer.validation.capture_forms import FORMS, in_form, packet_times, with_times_of
from analyzer.validation.material import Material


def content_of(material: Material, name: str) -> bytes:
    with open(material.capture(name).path, "rb") as file:
        return file.read()


def times_by_the_analyzer(path: str) -> list[int]:
    reader, found = CaptureReader([path]), []
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            found.append(packet_reader.frame.at)
    return found


def test_both_readers_find_the_same_times(material: Material):
    for one in material.captures:
        assert packet_times(content_of(material, one.name)) == times_by_the_analyzer(one.path)


def test_every_form_has_a_beginning_of_its_own(material: Material):
    content = content_of(material, "tls13-x25519")
    made = {form.name: in_form(content, form) for form in FORMS}
    assert len(set(made.values())) == len(FORMS) == 8
    assert {made[name][:4].hex() for name in made if name.startswith("pcap_")} == {
        "d4c3b2a1", "4d3cb2a1", "a1b2c3d4", "a1b23c4d"
    }  # fmt: skip
    assert {made[name][:12][-4:].hex() for name in made if name.startswith("pcapng_")} == {"4d3c2b1a", "1a2b3c4d"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_form_keeps_packets_and_times(material: Material, form):
    content = content_of(material, "tls13-x25519")
    made = in_form(content, form)
    before, after = packets_in(content), packets_in(made)
    assert [made[one.data : one.data + one.size] for one in after] == [
        content[one.data : one.data + one.size] for one in before
    ]
    assert packet_times(made) == [time // form.unit * form.unit for time in packet_times(content)]
    assert in_form(made, form) == made


@pytest.mark.parametrize("name", ["tls13-x25519", "tls10-rsa"])
def test_times_are_cut_down_in_place(material: Material, name: str):
    content = content_of(material, name)
    changed = with_times_of(content, 1000)
    assert len(changed) == len(content)
    assert packet_times(changed) == [time // 1000 * 1000 for time in packet_times(content)]
    assert with_times_of(content, 1) == content


def test_what_cannot_be_read_is_refused(material: Material):
    with pytest.raises(ValueError, match="neither pcap nor pcapng"):
        packet_times(b"\x1f\x8b\x08\x00")
    with pytest.raises(ValueError, match="link_types"):
        in_form(content_of(material, "tls10-rsa")[:24], FORMS[0])
