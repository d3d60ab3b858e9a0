from pathlib import Path
from typing import Any

import pytest

from saccade_models.adoption.config import AdoptionConfig, parse_number, parse_numbers
from saccade_models.errors import ConfigError


def config(**settings: Any) -> AdoptionConfig:
    """Of some model."""
    known = {"source": Path("m"), "output": Path("r"), "name": "flowers"}
    return AdoptionConfig(**{**known, **settings})


@pytest.mark.parametrize(
    ("text", "value"), [("1/255", 1 / 255), ("1/127.5", 1 / 127.5), ("0.5", 0.5), ("-1", -1.0)]
)
def test_numbers_may_be_fractions(text: str, value: float) -> None:
    """As people write them."""
    assert value == parse_number(text)


@pytest.mark.parametrize("text", ["", "x", "1/0", "1/2/3", "nan", "inf", "1,2", "1,2,3,4"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Nor two or four of them."""
    with pytest.raises(ValueError, match=r"."):
        parse_numbers(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a/b"},
        {"color": "cmyk"},
        {"resize": "lanczos"},
        {"range": "half"},
        {"activation": "relu"},
        {"height": 9000},
        {"width": -1},
        {"scale": 0.0},
        {"std": (1.0, 0.0, 1.0)},
        {"range": "unit", "scale": 1.0},
    ],
)
def test_an_impossible_setting_is_named(wrong: dict[str, Any]) -> None:
    """The text begins with it, or with the one that it contradicts."""
    with pytest.raises(ConfigError) as caught:
        config(**wrong)

    assert str(caught.value).split()[0] in ("name", "color", "resize", "range", "activation",
        "height", "width", "scale", "std")  # fmt: skip


def test_a_scale_says_the_whole_range() -> None:
    """A pixel is multiplied, then the mean goes off, then the deviation divides."""
    known = config(scale=1 / 255, mean=(0.5,), std=(0.25,)).known_range

    assert known is not None
    assert (0, 1.0, (0.5,), (0.25,)) == (known.black, known.white, known.mean, known.std)


def test_nothing_said_is_nothing_known() -> None:
    """Neither range nor colors."""
    assert (None, None) == (config().known_range, config().known_color)
