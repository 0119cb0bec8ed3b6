"""What somebody else sends into any recorded DTLS session, at any place, makes nothing of it untrue."""

from pathlib import Path

import pytest
from dtls_forgeries import changed_fragments, delayed, faults, forged_records, fragments, injected
from dtls_injection import CAPTURED, HANDSHAKE, Talk, plain

NAMES = sorted(path.parent.name for path in CAPTURED.glob("dtls*/expected.json"))


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no keys"])
@pytest.mark.parametrize("name", NAMES)
def test_a_message_with_the_number_of_another(name: str, keys: bool, tmp_path: Path):
    """Before it, behind it, at the beginning, and in the encrypted traffic."""
    talk = Talk(name)
    honest = talk.read(tmp_path, keys)
    told = []
    for place, role, fragment in fragments(talk):
        for form, forged in changed_fragments(fragment):
            first = 0 if form == "zeros" and fragment[0] > 1 else place  # another hello before all begins another session
            last = len(talk.packets) - 2 if form == "other byte" else place
            for at in sorted({first, place, place + 1, last}):
                found = faults(injected(talk, at, role, plain(HANDSHAKE, forged)), honest, tmp_path, keys)
                told += [(place, fragment[0], form, at, one) for one in found]
    assert told == []


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no keys"])
@pytest.mark.parametrize("name", NAMES)
def test_a_message_whose_real_one_comes_later(name: str, keys: bool, tmp_path: Path):
    """The real one was lost at first. What its delay alone does not hide, the forged one does not either."""
    talk = Talk(name)
    told = []
    for place, role, fragment in fragments(talk):
        others = [at for at in range(place + 1, len(talk.packets)) if talk.role(at) != role]
        late = delayed(talk, place, min(place + 2, *others, len(talk.packets) - 1))
        honest = late.read(tmp_path, keys)
        if keys and any(one["authenticity"]["finished"]["server"] != "verified" for one in honest):
            continue  # nothing proves what the handshake was
        for form, forged in changed_fragments(fragment):
            found = faults(injected(late, place, role, plain(HANDSHAKE, forged)), honest, tmp_path, keys)
            told += [(place, fragment[0], form, one) for one in found]
    assert told == []


@pytest.mark.parametrize("keys", [True, False], ids=["keys", "no keys"])
@pytest.mark.parametrize("name", NAMES)
def test_records_of_any_kind(name: str, keys: bool, tmp_path: Path):
    talk = Talk(name)
    honest = talk.read(tmp_path, keys)
    told = []
    for role in range(2):
        for number, record in enumerate(forged_records(role)):
            at = 1 + (number * 7 + role * 3) % (len(talk.packets) - 1)
            found = faults(injected(talk, at, role, record), honest, tmp_path, keys)
            told += [(role, at, record[:32].hex(), one) for one in found]
    assert told == []
