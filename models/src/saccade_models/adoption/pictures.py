"""Pictures that nobody took: golden samples of a model that came without any."""

import numpy as np
from numpy.typing import NDArray

SEED = 0


def draw_pictures(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Eight different pictures, the same at each call.

    Noise, coarse patches, waves and gradients: together they move a network's features more than
    any of them alone.

    Returns:
        Shape (8, height, width, channels), values 0 to 255.
    """
    random = np.random.default_rng(SEED)
    down, across = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    shape = (height, width, channels)
    tints = random.uniform(0.2, 1, (8, channels))
    planes = [
        down,
        across,
        np.hypot(down - 0.5, across - 0.5),
        0.5 + 0.5 * np.sin(40 * down),
        0.5 + 0.5 * np.sin(25 * (down + across)),
        np.add.outer(np.arange(height) * 8 // height, np.arange(width) * 8 // width) % 2,
    ]
    pictures = [plane[:, :, np.newaxis] * tint for plane, tint in zip(planes, tints, strict=False)]
    patches = random.uniform(0, 1, (6, 6, channels))
    rows, columns = np.arange(height) * 6 // height, np.arange(width) * 6 // width
    pictures += [random.uniform(0, 1, shape), patches[rows][:, columns]]
    return (np.stack(pictures).clip(0, 1) * 255).round().astype(np.uint8)
