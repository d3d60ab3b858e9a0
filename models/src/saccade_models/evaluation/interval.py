"""How far an accuracy may be from the one that endless samples would show."""

from math import sqrt

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: 2.5 % lie outside on either side."""


def wilson_interval(correct: int, samples: int) -> tuple[float, float]:
    """The 95 % score interval of a fraction; unlike others it is right near 0 and 1.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 1927.

    Args:
        correct: How many were right, 0 to `samples`.
        samples: At least 1.

    Returns:
        The lower and upper end, 0 to 1.
    """
    fraction, weight = correct / samples, Z_95**2 / samples
    middle = (fraction + weight / 2) / (1 + weight)
    reach = sqrt(weight * fraction * (1 - fraction) + weight**2 / 4) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)
