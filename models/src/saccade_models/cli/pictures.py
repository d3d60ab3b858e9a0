"""The flags of commands that read a folder of pictures."""

import argparse

from saccade_models.datasets import COLORS, PictureForm, parse_size
from saccade_models.errors import ConfigError


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares the form that a folder's pictures get."""
    form = PictureForm()
    group = parser.add_argument_group("pictures", "for --dataset folder; others have their own")
    text = f"a side or HEIGHTxWIDTH in pixels; None: {form.size}"
    group.add_argument("--image-size", type=_size, metavar="SIZE", help=text)
    group.add_argument("--color", choices=COLORS, help=f"None: {form.color}")


def read_form(flags: argparse.Namespace) -> PictureForm | None:
    """The form that was chosen; None where nothing was."""
    chosen = {}
    if flags.image_size is not None:
        chosen["height"], chosen["width"] = flags.image_size
    if flags.color is not None:
        chosen["color"] = flags.color
    return PictureForm(**chosen) if chosen else None


def _size(text: str) -> tuple[int, int]:
    try:
        return parse_size(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
