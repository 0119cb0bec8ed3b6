"""The targets of the fuzzer with inputs that are the same in every run: the seeds as they are, and changed at random.

`python -m tests.fuzz` looks for more, guided by what the code does with an input.
"""

from random import Random

import pytest
from fuzz.targets import TARGETS
from mutations import changed


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_holds_for_any_bytes(name: str) -> None:
    target, random = TARGETS[name], Random(name)
    seeds = [data[: target.longest] for data in target.seeds()]
    assert seeds
    target.read(b"")
    for number in range(target.n_tried):
        data = seeds[number] if number < min(len(seeds), target.n_tried // 2) else changed(random.choice(seeds), random)
        try:
            target.read(data[: target.longest])
        except Exception as error:
            error.add_note(f"input {number}: {data[: target.longest].hex()}")
            raise
