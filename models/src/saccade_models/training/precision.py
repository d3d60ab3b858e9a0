"""What numbers a network computes with in training.

Source: P. Micikevicius et al., Mixed Precision Training, ICLR 2018; with bfloat16 no scaling of the
loss is needed, as it reaches as far as float32.
"""

from collections.abc import Iterator
from contextlib import contextmanager

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
PRECISIONS = tuple(POLICIES)


@contextmanager
def compute_in(precision: str) -> Iterator[None]:
    """Layers that are made meanwhile compute in that precision; their weights stay float32.

    Args:
        precision: one of PRECISIONS. With bfloat16, convolutions are quicker on processors that
            have instructions for it, and slower on others.
    """
    from keras import config

    before = config.dtype_policy()
    config.set_dtype_policy(POLICIES[precision])
    try:
        yield
    finally:
        config.set_dtype_policy(before)
