"""From an image as it came to the values that a graph takes."""

from saccade_server.imaging.decode import ImageLimits, decode_image, fit_pixels, graph_values
from saccade_server.imaging.decoder import Decoder, Pixels, Source

__all__ = [
    "Decoder",
    "ImageLimits",
    "Pixels",
    "Source",
    "decode_image",
    "fit_pixels",
    "graph_values",
]
