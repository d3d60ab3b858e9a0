"""The rows of the comparison: which loads, and what is to be reached under each.

The limits are ratios within one run. Those against Triton are expressed by the naive server too, of
which Triton reached 1.24 x (1 caller) and 3.32 x (32 callers) on the machine of the design.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .closed_rows import (
    Limits,
    measure_batches,
    measure_large,
    measure_photographs,
    measure_quantised,
    measure_singles,
)
from .contenders import GRPCIO, HTTP2, HTTP2_FLAGS, NAIVE_SERVER, Contender, our_server
from .ground import Ground, Settings
from .open_rows import measure_overload, measure_poisson
from .targets import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One more of our servers for a row.

    Attributes:
        name: In the tables.
        model: That it serves.
        flags: It is started with.
    """

    name: str
    model: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A load.

    Attributes:
        name: For `--only`.
        title: For the table.
        model: That is served.
        measure: Measures all subjects and compares them with the targets.
        variants: That are measured as well.
        usual: Whether it is measured unless `--only` asks for others.
    """

    name: str
    title: str
    model: str
    measure: Callable[[Ground], Found]
    variants: tuple[Variant, ...] = ()
    usual: bool = True


PAIR = "--workers=2"
MNN_FLAGS = (*HTTP2_FLAGS, "--engine=mnn")

GRPCIO_PAIR = Variant(name="grpcio, 2 processes", model="cnn", flags=(PAIR,))
MNN = Variant(name="http2, mnn", model="cnn-mnn", flags=MNN_FLAGS)
MNN_PAIR = Variant(name="http2, mnn, 2 processes", model="cnn-mnn", flags=(*MNN_FLAGS, PAIR))
QUANTISED = (
    Variant(name="http2, dynamic", model="cnn-dynamic", flags=HTTP2_FLAGS),
    Variant(name="http2, int8", model="cnn-int8", flags=HTTP2_FLAGS),
)

ROWS = (
    Row(
        name="cnn-1x1",
        title="small CNN, 1 caller, 1 image",
        model="cnn",
        measure=partial(
            measure_singles,
            callers=1,
            limits=dict.fromkeys((GRPCIO.name, HTTP2.name, MNN.name), Limits(naive=3.1, peer=2.5)),
            also=(MNN.name,),
        ),
        variants=(MNN,),
    ),
    Row(
        name="cnn-32x1",
        title="small CNN, 32 callers, 1 image",
        model="cnn",
        measure=partial(
            measure_singles,
            callers=32,
            limits={
                **dict.fromkeys((GRPCIO.name, GRPCIO_PAIR.name), Limits(naive=4.0, peer=1.2)),
                **dict.fromkeys((HTTP2.name, MNN.name), Limits(naive=5.3, peer=1.6)),
            },
            also=(GRPCIO_PAIR.name, MNN.name),
        ),
        variants=(GRPCIO_PAIR, MNN),
    ),
    Row(
        name="cnn-128x1",
        title="small CNN, 128 callers, 1 image",
        model="cnn",
        measure=partial(
            measure_singles,
            callers=128,
            limits=dict.fromkeys(
                (HTTP2.name, MNN.name, MNN_PAIR.name), Limits(naive=6.65, peer=2.0)
            ),
            also=(MNN.name, MNN_PAIR.name),
        ),
        variants=(MNN, MNN_PAIR),
    ),
    Row(
        name="cnn-8x32",
        title="small CNN, 8 callers, 32 images",
        model="cnn",
        measure=partial(measure_batches, also=(MNN.name,)),
        variants=(MNN,),
    ),
    Row(
        name="cnn-quantised",
        title="small CNN quantised, 32 callers, 1 image",
        model="cnn",
        measure=partial(measure_quantised, names=[variant.name for variant in QUANTISED]),
        variants=QUANTISED,
    ),
    Row(
        name="cnn-poisson",
        title="small CNN, Poisson at 70 % of capacity",
        model="cnn",
        measure=partial(measure_poisson, callers=32, also=(MNN.name,)),
        variants=(MNN,),
    ),
    Row(
        name="cnn-overload",
        title="small CNN, 3 x capacity, deadlines of 50 ms",
        model="cnn",
        measure=partial(measure_overload, callers=32, deadline_s=0.05),
        usual=False,
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
        measure=partial(measure_overload, callers=8, deadline_s=0.2),
    ),
)
"""In the order of the table, rows of one model together."""


def starts(rows: list[Row], settings: Settings) -> list[tuple[Contender, str]]:
    """The servers that these rows, all of one model, need."""
    model = rows[0].model
    all_rows = (*settings.variants, NAIVE_SERVER, *settings.peers)
    wanted = [(contender, model) for contender in all_rows]
    others = dict.fromkeys(variant for row in rows for variant in row.variants)
    return [*wanted, *((our_server(each.name, each.flags), each.model) for each in others)]
