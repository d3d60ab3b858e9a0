"""Makes the pictures: `python -m saccade_models.figures ARTIFACT --output DIR`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from saccade_models.datasets import Split, load_dataset
from saccade_models.errors import ModelsError
from saccade_models.figures import blocks, learning
from saccade_models.figures.descent import draw_descent
from saccade_models.figures.passage import Floats, TrainedCnn, read_cnn
from saccade_server.errors import ArtifactError

DATASET = "digits"
SHOWN_DIGIT = 3
OF_AN_IMAGE: Mapping[str, Callable[[TrainedCnn, Floats, Path], None]] = {
    "window": blocks.draw_window,
    "kernels": blocks.draw_kernels,
    "padding": blocks.draw_padding,
    "activations": blocks.draw_activations,
    "pooling": blocks.draw_pooling,
}
OF_A_SPLIT: Mapping[str, Callable[[TrainedCnn, Split, Path], None]] = {
    "dense": learning.draw_dense,
    "softmax": learning.draw_softmax,
    "losses": learning.draw_losses,
    "way-back": learning.draw_way_back,
    "saliency": learning.draw_saliency,
    "descent": draw_descent,
}


def main() -> int:
    """Draws everything from the validation split; the test split stays untouched."""
    parser = argparse.ArgumentParser(prog="saccade_models.figures", description=__doc__)
    parser.add_argument("artifact", type=Path, help="the folder of a trained cnn's version")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to")
    flags = parser.parse_args()
    try:
        files = draw_all(flags.artifact, flags.output)
    except (ModelsError, ArtifactError, OSError) as error:
        print(f"saccade_models.figures: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} pictures, {size / 1000:.0f} kB, in {flags.output}")
    return 0


def draw_all(artifact: Path, folder: Path) -> list[Path]:
    """Draws all pictures as `<name>.png`; the folder is created where it is missing.

    Raises:
        ModelsError: The artifact holds another network than the cnn.
        ArtifactError: There is no artifact.
        OSError: The folder can't be written.
    """
    cnn = read_cnn(artifact)
    split = load_dataset(DATASET).validation
    index = int(np.flatnonzero(split.labels == SHOWN_DIGIT)[0])
    image = split.images[index : index + 1].astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in OF_AN_IMAGE.items():
        draw(cnn, image, folder / f"{name}.png")
    for name, draw_split in OF_A_SPLIT.items():
        draw_split(cnn, split, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in (*OF_AN_IMAGE, *OF_A_SPLIT)]


if __name__ == "__main__":
    sys.exit(main())
