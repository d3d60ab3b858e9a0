"""`saccade-models adopt`."""

import argparse
import dataclasses
import sys
from pathlib import Path

from saccade_models.adoption.config import (
    ACTIVATIONS,
    COLORS,
    RESIZES,
    AdoptionConfig,
    parse_number,
    parse_numbers,
)
from saccade_models.adoption.ranges import RANGES

SUMMARY = "Make an artifact of an image classifier that was trained elsewhere."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares a flag for each setting of AdoptionConfig."""
    add = parser.add_argument
    add("source", type=Path, metavar="PATH", help="a SavedModel's folder, a .keras or .h5 file")
    add("--name", required=True, help="the model's name in the repository")
    add(
        "--output",
        type=Path,
        default=Path("models/repository"),
        metavar="DIR",
        help="the model repository",
    )
    add("--labels", type=Path, metavar="FILE", help="text: a class label a line, by index")
    add(
        "--samples",
        type=Path,
        metavar="DIR",
        help="pictures; one sub-folder a class lets the ranges be tried out",
    )
    known = "; ".join(f"{each.name}: {each.text}" for each in RANGES.values())
    add("--range", choices=RANGES, default="", help=f"what pixels become ({known})")
    add("--scale", type=_number, metavar="X", help="or: a pixel is multiplied by this, as 1/255,")
    for flag, text in [("--mean", "then this is subtracted"), ("--std", "then divided by")]:
        add(flag, type=_numbers, default=(), metavar="X[,X,X]", help=f"{text}; of red, green, blue")
    add("--color", choices=COLORS, default="", help="the channels that the graph takes")
    add("--resize", choices=RESIZES, default="bilinear", help="how a picture gets its size")
    for side in ("--height", "--width"):
        add(
            side, type=int, default=0, metavar="N", help="in pixels, where the graph leaves it open"
        )
    add("--signature", default="", metavar="NAME", help="of the SavedModel, where it has several")
    add("--output-name", default="", metavar="NAME", help="the same of the signature's outputs")
    add("--activation", choices=ACTIVATIONS, default="", help="where a trial run cannot tell it")


def run(flags: argparse.Namespace) -> None:
    """Adopts, and prints what became of it in a line; what a person should know goes to stderr."""
    names = [field.name for field in dataclasses.fields(AdoptionConfig)]
    config = AdoptionConfig(**{name: getattr(flags, name) for name in names})

    from saccade_models.adoption.adopting import adopt

    done = adopt(config, lambda line: print(f"saccade-models: {line}", file=sys.stderr))
    spec, chosen = done.manifest.input, done.choice
    print(
        f"{config.name} version {done.version}: {len(done.manifest.class_labels)} classes, "
        f"{spec.height} x {spec.width} {chosen.preprocessing.color_space.value} "
        f"({chosen.color_reason}), pixels become {chosen.preprocessing.range.text} "
        f"({chosen.range_reason}), "
        f"{'LiteRT and TensorFlow' if done.compiled else 'TensorFlow only'}, {done.path}"
    )


def _number(text: str) -> float:
    try:
        return parse_number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return parse_numbers(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
