"""Makes an artifact of a trained network: the graph, and what a server must know beyond it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.v1 import manifest_pb2
from saccade_models.compilation import compile_graph
from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset
from saccade_models.errors import ModelsError
from saccade_models.evaluation import Figures, evaluate_scaled, fit_temperature, read_logits
from saccade_models.golden import write_golden_set
from saccade_models.graph import INPUT, OUTPUT, SIGNATURE, write_graph
from saccade_models.provenance import describe_training
from saccade_models.quantization import QuantizedFigures, quantize
from saccade_models.quiet import drop_native_chatter
from saccade_models.report import Report, collect_mistakes, write_report
from saccade_models.training.history import Epoch
from saccade_models.warmup import write_warmup
from saccade_server import artifact as layout
from saccade_server.engines import load_engine
from saccade_server.loading import Compiled, forms

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was measured on the test split, and what servers run.

    Attributes:
        test: Figures of the graph.
        quantized: Those of its quantised form, if any.
        uncompiled: Why LiteRT does not run the graph; empty where it does.
    """

    test: Figures
    quantized: QuantizedFigures | None
    uncompiled: str


def export_artifact(
    folder: Path,
    classifier: "keras.Model",
    config: TrainingConfig,
    dataset: Dataset,
    *,
    history: Sequence[Epoch] = (),
    exported_epoch: int = 0,
) -> Exported:
    """Writes a complete artifact into an empty folder.

    The figures and golden samples are computed by the graph as written, through the server's own
    engine: what is measured is what will be served. The test split is used here alone, and chooses
    nothing but whether a quantised form loses too much; the graph's temperature is fitted on the
    validation split. A graph that LiteRT can't take, or computes otherwise, is left to TensorFlow.

    Args:
        folder: is there and empty.
        classifier: maps pixels 0 to 255 to logits.
        config: the settings of the training.
        dataset: what it was trained on.
        history: the training's epochs, for the report.
        exported_epoch: the number of the one whose weights these are; 0 where it is not known.

    Raises:
        ModelsError: The answers are no numbers, quantising costs more accuracy than is allowed, or
            there is nothing to quantise, since LiteRT does not run the graph.
        OSError: The folder can't be written.
        EngineError: TensorFlow can't run the graph, or LiteRT its quantised form.
    """
    temperature = fit_temperature(*read_logits(classifier, dataset.validation))
    write_graph(classifier, folder, temperature.value)
    (folder / layout.ASSETS).mkdir()
    manifest = _describe(config, dataset, classifier.count_params())
    # The engine reads the manifest; it is written again with what the engine computes.
    layout.write_manifest(folder, manifest)
    artifact = layout.read_artifact(folder)
    with closing(load_engine(artifact, "tensorflow")) as engine:
        evaluation = evaluate_scaled(engine, dataset.test, artifact.input, temperature)
        manifest.golden.CopyFrom(write_golden_set(artifact, dataset.test, engine))
        engine_name = engine.name
    figures = evaluation.served
    manifest.evaluation.CopyFrom(
        manifest_pb2.Evaluation(
            dataset=f"{dataset.name} test split",
            samples=figures.samples,
            accuracy=figures.accuracy,
            metrics=evaluation.metrics(),
        )
    )
    report = Report(
        model=config.name,
        class_labels=dataset.class_labels,
        dataset=dataset.name,
        split="test",
        engine=engine_name,
        evaluation=evaluation,
        mistakes=collect_mistakes(figures, dataset.test),
        provenance=manifest.provenance,
        history=history,
        exported_epoch=exported_epoch,
    )
    write_report(folder / layout.ASSETS, report)
    layout.write_manifest(folder, manifest)
    quantized, uncompiled = _complete(folder, manifest, config, dataset, figures)
    return Exported(test=figures, quantized=quantized, uncompiled=uncompiled)


def _describe(config: TrainingConfig, dataset: Dataset, weights: int) -> manifest_pb2.Manifest:
    return manifest_pb2.Manifest(
        model=config.name,
        input=_input_spec(dataset.image_shape),
        output=manifest_pb2.OutputSpec(
            name=OUTPUT, activation=manifest_pb2.ACTIVATION_PROBABILITIES
        ),
        class_labels=dataset.class_labels,
        provenance=describe_training(config, weights),
    )


def _complete(
    folder: Path,
    manifest: manifest_pb2.Manifest,
    config: TrainingConfig,
    dataset: Dataset,
    figures: Figures,
) -> tuple[QuantizedFigures | None, str]:
    """Adds what is made of the golden samples: warm-up requests and the compiled form.

    Returns:
        The figures of the quantised form, if any, and why nothing was compiled, if so.
    """
    artifact = layout.read_artifact(folder)
    write_warmup(artifact)
    quantized, uncompiled = None, ""
    try:
        form = compile_graph(artifact)
    except ModelsError as error:
        if config.quantize != "none":
            raise ModelsError(f"cannot quantize: {error}; nothing was written") from error
        uncompiled = str(error)
    else:
        if config.quantize != "none":
            with drop_native_chatter():
                form, quantized = quantize(artifact, dataset, config, exact=form, before=figures)
            manifest.evaluation.metrics.update(quantized.metrics())
        manifest.compiled.append(write_form(artifact, form, quantized.kind if quantized else ""))
    layout.write_manifest(folder, manifest)
    return quantized, uncompiled


def write_form(
    artifact: layout.Artifact, form: Compiled, quantization: str
) -> manifest_pb2.CompiledForm:
    """Writes a compiled form beside the graph; `quantization` is its kind, or empty."""
    source = layout.saved_model_sha256(artifact.path)
    # A server looks for forms that it compiled itself under this name; those are never quantised.
    name = f"{source[:32]}-{quantization}" if quantization else source[:32]
    path = Path(forms.FOLDER) / f"{name}{forms.SUFFIX}"
    (artifact.path / path).parent.mkdir()
    (artifact.path / path).write_bytes(form.data)
    return manifest_pb2.CompiledForm(
        engine="litert",
        path=path.as_posix(),
        source_sha256=source,
        max_abs_error=form.max_abs_error,
        quantization=quantization,
        golden=form.golden,
    )


def _input_spec(image_shape: tuple[int, int, int]) -> manifest_pb2.InputSpec:
    height, width, channels = image_shape
    gray = channels == layout.ColorSpace.GRAY.channels
    return manifest_pb2.InputSpec(
        signature=SIGNATURE,
        name=INPUT,
        height=height,
        width=width,
        color_space=manifest_pb2.COLOR_SPACE_GRAY if gray else manifest_pb2.COLOR_SPACE_RGB,
        data_type=manifest_pb2.DATA_TYPE_FLOAT32,
        pixel_range=manifest_pb2.PixelRange(black=0, white=255),
        resize=manifest_pb2.RESIZE_RULE_BICUBIC,
    )
