"""The formulas of models/README.md in NumPy: each layer forward, and its gradients backward.

Written from the text, for one image at a time and without any regard to speed; the tests hold Keras
against it. `upstream` is always the gradient of the loss by the layer's output.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def margins(side: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """The zeros put before and after `side` pixels."""
    if padding == "valid":
        return 0, 0
    outputs = -(-side // stride)
    zeros = max((outputs - 1) * stride + kernel - side, 0)
    return zeros // 2, zeros - zeros // 2


def _pad(x: Array, kernel: int, stride: int, padding: str) -> Array:
    rows, columns = (margins(side, kernel, stride, padding) for side in x.shape[:2])
    return np.pad(x, (rows, columns, (0, 0)))


def _outputs(padded_side: int, kernel: int, stride: int) -> int:
    return (padded_side - kernel) // stride + 1


def convolve(x: Array, w: Array, b: Array, stride: int = 1, padding: str = "valid") -> Array:
    """y[i,j,d] = b[d] + sum over m, n, c of w[m,n,c,d] x[s i + m - p, s j + n - p, c].

    Args:
        x: shape (H, W, C).
        w: shape (k, k, C, D).
        b: shape (D,).
        stride: the s of the formula.
        padding: `valid` (p = 0) or `same`.

    Returns:
        Shape (H', W', D).
    """
    k = len(w)
    padded = _pad(x, k, stride, padding)
    height, width = (_outputs(side, k, stride) for side in padded.shape[:2])
    y = np.empty((height, width, w.shape[3]))
    for i in range(height):
        for j in range(width):
            window = padded[stride * i : stride * i + k, stride * j : stride * j + k]
            y[i, j] = b + np.tensordot(window, w, axes=3)
    return y


def convolve_back(
    x: Array, w: Array, upstream: Array, stride: int = 1, padding: str = "valid"
) -> tuple[Array, Array, Array]:
    """The gradients by x, w and b: what was multiplied forward is multiplied backward.

    Each output handed its window to w; now its gradient goes to the same window, times w, and to w,
    times the window.
    """
    k = len(w)
    padded = _pad(x, k, stride, padding)
    by_padded, by_w = np.zeros_like(padded), np.zeros_like(w)
    for i, j in np.ndindex(*upstream.shape[:2]):
        window = slice(stride * i, stride * i + k), slice(stride * j, stride * j + k)
        by_padded[window] += np.tensordot(w, upstream[i, j], axes=1)
        by_w += padded[window][..., np.newaxis] * upstream[i, j]
    (top, _), (left, _) = (margins(side, k, stride, padding) for side in x.shape[:2])
    by_x = by_padded[top : top + x.shape[0], left : left + x.shape[1]]
    return by_x, by_w, upstream.sum(axis=(0, 1))


ACTIVATE: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}

# By the output a, which forward has computed anyway.
SLOPE: dict[str, Callable[[Array], Array]] = {
    "relu": lambda a: (a > 0).astype(np.float64),
    "tanh": lambda a: 1 - a**2,
    "sigmoid": lambda a: a * (1 - a),
}


def _blocks(x: Array, size: int) -> Array:
    """Shape (H', W', size * size, C): the pixels of each block; what fills no block is left out."""
    height, width = x.shape[0] // size, x.shape[1] // size
    cut = x[: height * size, : width * size].reshape(height, size, width, size, -1)
    return cut.swapaxes(1, 2).reshape(height, width, size * size, -1)


def pool(x: Array, kind: str, size: int = 2) -> Array:
    """y[i,j,c] = the maximum or the mean of x[s i + m, s j + n, c], 0 <= m, n < s."""
    blocks = _blocks(x, size)
    pooled: Array = blocks.max(axis=2) if kind == "max" else blocks.mean(axis=2)
    return pooled


def pool_back(x: Array, kind: str, upstream: Array, size: int = 2) -> Array:
    """The gradient by x: to the first maximum of each block, or to all of it alike."""
    by_x = np.zeros_like(x)
    winners = _blocks(x, size).argmax(axis=2)
    for i, j, c in np.ndindex(*upstream.shape):
        block = by_x[size * i : size * (i + 1), size * j : size * (j + 1), c]
        if kind == "max":
            block[divmod(int(winners[i, j, c]), size)] = upstream[i, j, c]
        else:
            block[:] = upstream[i, j, c] / size**2
    return by_x


def flatten(x: Array) -> Array:
    """v[(i W + j) C + c] = x[i,j,c]."""
    return x.reshape(-1)


def connect(x: Array, w: Array, b: Array) -> Array:
    """y[k] = b[k] + sum over i of x[i] w[i,k]."""
    return x @ w + b


def connect_back(x: Array, w: Array, upstream: Array) -> tuple[Array, Array, Array]:
    """The gradients by x, w and b."""
    return w @ upstream, np.outer(x, upstream), upstream


def softmax(z: Array) -> Array:
    """p[k] = exp(z[k]) / sum over l of exp(z[l]); the largest logit taken off first."""
    powers = np.exp(z - z.max())
    p: Array = powers / powers.sum()
    return p


def truth(label: int, classes: int, smoothing: float = 0) -> Array:
    """t[k] = (1 - s) [k = label] + s / K: one-hot, or smoothed."""
    t: Array = (1 - smoothing) * np.eye(classes)[label] + smoothing / classes
    return t


LOSS: dict[str, Callable[[Array, Array], float]] = {
    "cross-entropy": lambda z, t: float(-t @ np.log(softmax(z))),
    "mse": lambda z, t: float(np.mean((softmax(z) - t) ** 2)),
}


def loss_back(name: str, z: Array, t: Array) -> Array:
    """The gradient by the logits: p - t, or p (r - r.p) with r = 2 (p - t) / K."""
    p = softmax(z)
    if name == "cross-entropy":
        return p - t
    r = 2 * (p - t) / len(z)
    return p * (r - r @ p)


def descend(theta: Array, gradients: list[Array], rate: float) -> Array:
    """Gradient descent: theta - rate g, once for each gradient."""
    for g in gradients:
        theta = theta - rate * g
    return theta


def descend_with_momentum(theta: Array, gradients: list[Array], rate: float) -> Array:
    """Nesterov's momentum with mu = 0.9, once for each gradient."""
    velocity = np.zeros_like(theta)
    for g in gradients:
        velocity = 0.9 * velocity - rate * g
        theta = theta + 0.9 * velocity - rate * g
    return theta


def adam(theta: Array, gradients: list[Array], rate: float) -> Array:
    """Adam with beta 0.9 and 0.999, once for each gradient."""
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        step = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        theta = theta - step * m / (np.sqrt(v) + 1e-7)
    return theta
