"""From an image as it came to the pixels that a graph takes."""

from saccade_server.imaging.decode import ImageLimits, decode_image, fit_pixels, graph_values

__all__ = ["ImageLimits", "decode_image", "fit_pixels", "graph_values"]
