"""The targets of the fuzzer, over what they begin with and what once did harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.mutations import at_random, edits, mutate
from fuzz.catalogue import load, names, regressions

SHORT, FULL = 100, 3_000


@pytest.mark.parametrize("name", names())
def test_a_target_holds_for_what_it_begins_with(name: str) -> None:
    """And for the inputs that did harm until the code was repaired."""
    target = load(name)
    with target.opened() as check:
        for data in (*target.seeds(), *regressions(name), b""):
            check(data)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", names())
def test_a_target_holds_for_damaged_inputs(name: str, full: bool) -> None:
    """At random; where the code leads is followed by `python -m tests.fuzz`."""
    target = load(name)
    inputs = st.builds(mutate, st.sampled_from(list(target.seeds())), edits)
    with target.opened() as check:

        @given(data=inputs)
        def damaged(data: bytes) -> None:
            check(data)

        at_random(damaged, FULL if full else SHORT)
