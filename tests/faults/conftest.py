"""Faults that are made for real: in a short form with the other tests, in full by `--full`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the flag."""
    parser.addoption("--full", action="store_true", help="run the fault tests in full length")


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Whether the fault tests are run in full length."""
    # Without a default: the flag is unknown where this folder is one of many.
    return bool(request.config.getoption("--full", default=False))
