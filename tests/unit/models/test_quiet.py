import os

import pytest

from saccade_models.quiet import drop_native_chatter


def test_chatter_is_dropped_and_the_rest_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    """Native code writes past Python; its errors must still show."""
    with drop_native_chatter():
        os.write(2, b"INFO: Created a delegate\nERROR: out of memory\n")

    assert "ERROR: out of memory\n" == capfd.readouterr().err


def fail_noisily() -> None:
    with drop_native_chatter():
        os.write(2, b"WARNING: odd\n")
        raise ValueError("broken")


def test_stderr_is_back_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    """What was written before an error shows, and so does what comes later."""
    with pytest.raises(ValueError, match="broken"):
        fail_noisily()
    os.write(2, b"INFO: later\n")

    assert "WARNING: odd\nINFO: later\n" == capfd.readouterr().err
