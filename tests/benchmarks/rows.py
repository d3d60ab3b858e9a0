"""The rows of the comparison: which loads, and what is to be reached under each.

The limits are ratios within one run. Those against Triton are expressed by the naive server, of
which Triton reached 1.24 x (1 caller) and 3.32 x (32 callers) on the same machine and model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .closed_rows import (
    measure_batches,
    measure_large,
    measure_photographs,
    measure_quantised,
    measure_singles,
)
from .contenders import GRPCIO, HTTP2, HTTP2_FLAGS, NAIVE_SERVER, Contender, our_server
from .ground import Ground, Settings, variant_name
from .open_rows import measure_overload, measure_poisson
from .targets import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A load.

    Attributes:
        name: For `--only`.
        title: For the table.
        model: That is served.
        measure: Measures all subjects and compares them with the targets.
        variants: Of the model, that are served as well, over HTTP/2.
    """

    name: str
    title: str
    model: str
    measure: Callable[[Ground], Found]
    variants: tuple[str, ...] = ()


QUANTISED = "cnn-dynamic", "cnn-int8"
QUICKENED = "cnn-mnn"
MNN = variant_name(QUICKENED)

ROWS = (
    Row(
        name="cnn-1x1",
        title="small CNN, 1 caller, 1 image",
        model="cnn",
        measure=partial(measure_singles, callers=1, limits={GRPCIO.name: 3.1, HTTP2.name: 3.1}),
    ),
    Row(
        name="cnn-32x1",
        title="small CNN, 32 callers, 1 image",
        model="cnn",
        measure=partial(
            measure_singles,
            callers=32,
            limits={GRPCIO.name: 4.0, HTTP2.name: 5.3, MNN: 5.3},
            also=(MNN,),
        ),
        variants=(QUICKENED,),
    ),
    Row(
        name="cnn-128x1",
        title="small CNN, 128 callers, 1 image",
        model="cnn",
        measure=partial(
            measure_singles, callers=128, limits={HTTP2.name: 6.65, MNN: 6.65}, also=(MNN,)
        ),
        variants=(QUICKENED,),
    ),
    Row(
        name="cnn-8x32",
        title="small CNN, 8 callers, 32 images",
        model="cnn",
        measure=partial(measure_batches, also=(MNN,)),
        variants=(QUICKENED,),
    ),
    Row(
        name="cnn-quantised",
        title="small CNN quantised, 32 callers, 1 image",
        model="cnn",
        measure=partial(measure_quantised, models=QUANTISED),
        variants=QUANTISED,
    ),
    Row(
        name="cnn-poisson",
        title="small CNN, Poisson at 70 % of capacity",
        model="cnn",
        measure=partial(measure_poisson, callers=32),
    ),
    Row(
        name="mobilenet-8x1",
        title="MobileNetV2-224, 8 callers, 1 image",
        model="mobilenet",
        measure=measure_large,
    ),
    Row(
        name="mobilenet-jpeg",
        title="MobileNetV2-224, 4 callers, 8 JPEG files",
        model="mobilenet",
        measure=measure_photographs,
    ),
    Row(
        name="mobilenet-poisson",
        title="MobileNetV2-224, Poisson at 70 % of capacity",
        model="mobilenet",
        measure=partial(measure_poisson, callers=8),
    ),
    Row(
        name="mobilenet-overload",
        title="MobileNetV2-224, 3 x capacity, deadlines of 200 ms",
        model="mobilenet",
        measure=partial(measure_overload, callers=8),
    ),
)
"""In the order of the table, rows of one model together."""


def starts(rows: list[Row], settings: Settings) -> list[tuple[Contender, str]]:
    """The servers that these rows, all of one model, need."""
    model = rows[0].model
    wanted = [(variant, model) for variant in settings.variants] + [(NAIVE_SERVER, model)]
    names = dict.fromkeys(name for row in rows for name in row.variants)
    return [*wanted, *((our_server(variant_name(name), _flags(name)), name) for name in names)]


def _flags(variant: str) -> tuple[str, ...]:
    return (*HTTP2_FLAGS, "--engine=mnn") if variant == QUICKENED else HTTP2_FLAGS
