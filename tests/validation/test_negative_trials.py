"""The trials with bad data would notice a method that believes it: each is tried on data that was not made bad."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.validation import negative_trials
from analyzer.validation.capture_bytes import PacketPlace
from analyzer.validation.material import Material
from analyzer.validation.validation_trial import Value
from analyzer.validation.vector_trials import flights_of, keylog_of


def different(material: Material, scratch: Path, kind: str, of: str = "") -> set[str]:
    """The names of the values that differ in the first trial of a kind, of a capture whose name begins so."""
    trials = negative_trials.negative_trials(material, str(scratch))
    trial = next(one for one in trials if one.kind == kind and one.material.startswith(of))
    values: list[Value] = list(trial.run())
    return {each.name for each in values if not each.is_equal}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("flipped_record", {"called_decrypted", "records_that_failed", "bytes_of_the_changed_record", "responses"}),
        ("flipped_signature", {"authenticity.server_signature", "finished_called_verified"}),
        ("flipped_certificate", {"chain.verdict", "finished_called_verified"}),
        ("flipped_hello", {"authenticity.server_signature", "authenticity.finished"}),
    ],
)
def test_data_that_was_not_changed_fails_the_trial(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, names: set[str]
):
    monkeypatch.setattr(negative_trials, "flipped", lambda content, at: content)
    assert different(material, tmp_path, kind) == names


def test_secrets_that_were_not_altered_fail_the_trial(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(negative_trials, "altered", lambda keylog: keylog)
    found = different(material, tmp_path, "altered_secrets", "ech-accepted")
    assert found == {
        "sessions_called_decrypted", "decrypted_records", "decrypted_bytes", "requests", "finished_called_verified"
    }  # fmt: skip


def test_a_packet_that_was_not_lost_fails_the_trial(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole: Callable[[bytes, PacketPlace], bytes] = lambda content, place: content  # noqa: E731
    monkeypatch.setattr(negative_trials, "without", whole)
    assert different(material, tmp_path, "lost_packet") == {"gaps", "called_decrypted", "reason", "bytes_of_the_server"}
    monkeypatch.setattr(negative_trials, "cut_inside", whole)
    assert "damage_is_told" in different(material, tmp_path, "cut")


def test_altered_secrets_keep_labels_and_randoms(material: Material):
    keylog = keylog_of(material.vectors, "3")
    lines, changed = keylog.splitlines(), negative_trials.altered(keylog).splitlines()
    assert [line.split()[:2] for line in lines] == [line.split()[:2] for line in changed]
    assert all(one != other for one, other in zip(lines, changed, strict=True))
    assert len(flights_of(material.vectors, "3")) == len([*"12345678"]) + 1
