"""From flags, samples and, at the worst, a guess: the range and the order of the colors."""

from collections.abc import Callable
from dataclasses import dataclass

from saccade_models.adoption.config import AdoptionConfig
from saccade_models.adoption.examination import Examination, Input, probabilities_of
from saccade_models.adoption.ranges import RANGES, Preprocessing, Range
from saccade_models.adoption.samples import Samples
from saccade_models.adoption.trials import Trial, compare_candidates
from saccade_models.errors import ConfigError
from saccade_server.artifact import ColorSpace

Tell = Callable[[str], None]
"""Gets a line for the person at the terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        range_reason: "known", "tried" or "guessed"; so `color_reason`.
        trial: On the labelled samples, if there were any.
    """

    preprocessing: Preprocessing
    range_reason: str
    color_reason: str
    trial: Trial | None


def list_candidates(config: AdoptionConfig, taken: Input) -> list[Preprocessing]:
    """Every preprocessing that the flags and the graph's type allow.

    Raises:
        ConfigError: None is left.
    """
    colors = [ColorSpace.GRAY] if taken.channels == 1 else [ColorSpace.RGB, ColorSpace.BGR]
    if config.known_color is not None:
        if config.known_color not in colors:
            raise ConfigError(
                f"color must be one of {', '.join(color.value for color in colors)}: the graph "
                f"takes {taken.channels} channels; got {config.color!r}"
            )
        colors = [config.known_color]
    ranges = [config.known_range] if config.known_range is not None else list(RANGES.values())
    if taken.signature.dtype == "uint8":
        ranges = [each for each in ranges if _is_plain(each)]
    found = [
        Preprocessing(range=each, color_space=color)
        for each in ranges
        for color in colors
        if each.fits(color)
    ]
    if not found:
        raise ConfigError(
            "range must be pixels, 0 to 255: the graph takes uint8"
            if taken.signature.dtype == "uint8"
            else f"mean and std must be one number: the graph takes {taken.channels} channel"
        )
    return found


def choose_preprocessing(
    candidates: list[Preprocessing],
    examination: Examination,
    samples: Samples | None,
    tell: Tell,
    *,
    logits: bool,
    guess: str,
) -> Choice:
    """Tries the candidates on labelled samples; without any, takes the only one, or guesses.

    Args:
        candidates: At least one.
        examination: Runs the graph.
        samples: None: there are none.
        tell: Hears the trials' table and, loudly, what had to be guessed.
        logits: What the graph gives.
        guess: The range's name, where nothing else tells it.

    Raises:
        ConfigError: The samples don't tell the candidates apart; the text names the flags to give.
    """
    if samples is None or samples.labels is None:
        return _guess(candidates, guess, tell)
    images, labels = samples.images, samples.labels
    verdict = compare_candidates(
        candidates,
        lambda each: probabilities_of(examination.scores(images, each), logits=logits),
        labels,
    )
    tell(f"on {len(images)} labelled samples:")
    for line in verdict.table():
        tell(f"  {line}")
    best = verdict.trials[0]
    if len(candidates) == 1:
        if not verdict.better_than_guessing:
            tell(
                "WARNING: on the samples the model is no better than guessing: check the range, "
                "the colors, and the order of the labels"
            )
        return _choose(candidates, best.preprocessing, "known", best)
    if verdict.winner is None:
        raise ConfigError(
            _undecided(len(images), verdict.missing_flags, verdict.better_than_guessing)
        )
    tell(f"{verdict.winner} fits")
    return _choose(candidates, verdict.winner, "tried", best)


def _guess(candidates: list[Preprocessing], guess: str, tell: Tell) -> Choice:
    if len(candidates) == 1:
        return _choose(candidates, candidates[0], "known", None)
    ranges = {each.range.name for each in candidates}
    name = guess if guess in ranges else next(iter(ranges))
    chosen = next(each for each in candidates if each.range.name == name)
    open_flags = []
    if len(ranges) > 1:
        open_flags.append("--range")
        tell(f"WARNING: GUESSED that the graph takes {chosen.range.text} (--range {name})")
    if len({each.color_space for each in candidates}) > 1:
        open_flags.append("--color")
        tell(f"WARNING: GUESSED that the colors are in the order {chosen.color_space.value}")
    tell(
        "WARNING: a wrong guess costs most of the accuracy, and nothing else shows it: "
        f"say {' and '.join(open_flags)}, or give labelled pictures by --samples"
    )
    return _choose(candidates, chosen, "guessed", None)


def _choose(
    candidates: list[Preprocessing], chosen: Preprocessing, reason: str, trial: Trial | None
) -> Choice:
    """What was never open is known."""
    ranges = {each.range.name for each in candidates}
    colors = {each.color_space for each in candidates}
    return Choice(
        preprocessing=chosen,
        range_reason=reason if len(ranges) > 1 else "known",
        color_reason=reason if len(colors) > 1 else "known",
        trial=trial,
    )


def _undecided(count: int, flags: tuple[str, ...], better_than_guessing: bool) -> str:
    needed = " and ".join(flag.removeprefix("--") for flag in flags) or "range"
    if not better_than_guessing:
        return (
            f"{needed} must be given: with none is the model better than guessing on the {count} "
            "samples; are they too few, or the labels in another order?"
        )
    return (
        f"{needed} must be given: the {count} samples do not tell the best ones of the table apart"
    )


def _is_plain(given: Range) -> bool:
    plain = RANGES["pixels"]
    return (given.black, given.white, given.mean, given.std) == (
        plain.black,
        plain.white,
        plain.mean,
        plain.std,
    )
