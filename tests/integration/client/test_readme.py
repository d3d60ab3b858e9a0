"""The README's code against a real server."""

import re
from pathlib import Path

import pytest

from integration.client.servers import BROKEN
from saccade import ClientOptions, RetryPolicy, __main__, cli

README = (Path(__file__).parents[3] / "client/README.md").read_text("utf-8")
CODE = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
OUTPUTS = [
    "cat 0.75 echo/3\ndog 0.75 echo/3\n",
    "Prediction(index=0, ",
    "cat 0.75\nimage 1 failed: not an image\n",
]


@pytest.mark.parametrize(("code", "output"), list(zip(CODE, OUTPUTS, strict=True)), ids=range(3))
def test_the_readmes_code_does_what_it_says(
    code: str,
    output: str,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it stands there, but for the server's address and the model's name."""
    monkeypatch.chdir(tmp_path)
    for name, content in {"a.png": b"cat", "b.jpg": b"dog", "broken.png": BROKEN}.items():
        Path(name).write_bytes(content)
    exec(code.replace("localhost:8500", server), {"__name__": "readme"})

    assert output == capsys.readouterr().out[: len(output)]


def test_the_readme_lists_the_exit_codes_of_the_command() -> None:
    """The same as the command's own table."""
    listed = re.findall(r"^\| (\d+) \| (.+) \|$", README, re.MULTILINE)
    documented = re.findall(r"^    (\d+) +(.+)$", __main__.__doc__ or "", re.MULTILINE)

    assert documented == listed


def test_the_readme_names_the_defaults() -> None:
    """Those of the code."""
    retry = RetryPolicy()
    attempts = ["no", "one", "two", "three", "four", "five"][retry.max_attempts]
    sentences = [
        f"A call takes {ClientOptions().timeout_s:g} s at most",
        f"is made up to {attempts} times",
        f"{retry.initial_backoff_s:g} s to {retry.max_backoff_s:g} s",
        f"Files are sent {cli.CALL_IMAGES} at a time",
    ]

    assert [] == [sentence for sentence in sentences if sentence not in README]
