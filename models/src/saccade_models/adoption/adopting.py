"""Makes an artifact of a stranger's image classifier."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saccade.v1 import manifest_pb2
from saccade_models.adoption.choosing import Choice, Tell, choose_preprocessing, list_candidates
from saccade_models.adoption.config import AdoptionConfig
from saccade_models.adoption.examination import Examination, Input
from saccade_models.adoption.origin import describe_adoption
from saccade_models.adoption.samples import Samples, class_folders, read_labels, read_samples
from saccade_models.adoption.signatures import Signature, read_signature
from saccade_models.adoption.sources import Brought, bring, check_source
from saccade_models.compilation import compile_graph, warn_of_tensorflow
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.export import write_form
from saccade_models.golden import GoldenPicture, write_golden_pictures
from saccade_models.quiet import drop_native_chatter
from saccade_models.repository import publish_version, stage_version
from saccade_models.warmup import FILE, write_warmup
from saccade_server import artifact as layout
from saccade_server.engines import load_engine

MAX_PIXELS = 2048 * 2048
MAX_GOLDEN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """The version that was written.

    Attributes:
        compiled: Whether LiteRT runs it; TensorFlow always does.
    """

    path: Path
    manifest: manifest_pb2.Manifest
    choice: Choice
    compiled: bool

    @property
    def version(self) -> int:
        """The version's number."""
        return int(self.path.name)


def adopt(config: AdoptionConfig, tell: Tell) -> Adopted:
    """Brings the model, examines it, and publishes it as the next version.

    Args:
        config: What is known.
        tell: Hears what a person should know, a line each.

    Raises:
        ModelsError: It is no image classifier, or can't be read or written; nothing is left behind.
        ConfigError: Something must be said by a flag; the text names it.
    """
    check_source(config.source, config.output)
    folder = config.output / config.name
    with stage_version(folder) as staging:
        try:
            with drop_native_chatter():
                brought = bring(config.source, staging)
            manifest, choice, compiled = _complete(staging, config, brought, tell)
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            reason = f"{error.strerror or error}{where}"
            raise ModelsError(f"cannot adopt {config.source}: {reason}") from error
        path = publish_version(staging)
    return Adopted(path=path, manifest=manifest, choice=choice, compiled=compiled)


def _complete(
    folder: Path, config: AdoptionConfig, brought: Brought, tell: Tell
) -> tuple[manifest_pb2.Manifest, Choice, bool]:
    """Writes everything that belongs beside the graph."""
    taken = _describe_input(read_signature(folder, config.signature, config.output_name), config)
    candidates = list_candidates(config, taken)
    with Examination(folder, taken) as examination:
        class_labels = _label_classes(config, examination.count_classes(), tell)
        logits = examination.gives_logits(candidates, config.activation)
        samples = None
        if config.samples is not None:
            samples = read_samples(config.samples, class_labels, taken.spec(taken.plain))
            if samples.skipped:
                tell(f"{samples.skipped} files of {config.samples} are no pictures: skipped")
        choice = choose_preprocessing(
            candidates, examination, samples, tell, logits=logits, guess=brought.guess
        )
        answers = examination.scores(examination.pictures, choice.preprocessing)
        if np.ptp(answers, axis=0).max() == 0:
            tell("WARNING: the model gives the same answer to very different pictures")
    manifest = manifest_pb2.Manifest(
        model=config.name,
        input=taken.message(choice.preprocessing),
        output=manifest_pb2.OutputSpec(
            name=taken.signature.output,
            activation=manifest_pb2.ACTIVATION_LOGITS
            if logits
            else manifest_pb2.ACTIVATION_PROBABILITIES,
        ),
        class_labels=class_labels,
        provenance=describe_adoption(config, brought, choice),
    )
    if choice.trial is not None and config.samples is not None:
        manifest.evaluation.CopyFrom(
            manifest_pb2.Evaluation(
                dataset=f"samples in {config.samples.name}",
                samples=len(choice.trial.right),
                accuracy=choice.trial.accuracy,
                metrics={"loss": choice.trial.loss},
            )
        )
    pictures = list(_golden_pictures(samples, examination))
    return manifest, choice, _write_assets(folder, manifest, pictures, tell)


def _write_assets(
    folder: Path, manifest: manifest_pb2.Manifest, pictures: list[GoldenPicture], tell: Tell
) -> bool:
    """Manifest, golden samples, warm-up requests and, where LiteRT can, the compiled form."""
    (folder / layout.ASSETS).mkdir(exist_ok=True)
    layout.write_manifest(folder, manifest)
    artifact = layout.read_artifact(folder)
    with closing(load_engine(artifact, "tensorflow", threads=0)) as engine:
        manifest.golden.CopyFrom(write_golden_pictures(artifact, pictures, engine))
    layout.write_manifest(folder, manifest)
    artifact = layout.read_artifact(folder)
    if not (folder / FILE).exists():  # The model's own stay.
        write_warmup(artifact)
    compiled = True
    try:
        manifest.compiled.append(write_form(artifact, compile_graph(artifact), ""))
    except ModelsError as error:
        compiled = False
        tell(warn_of_tensorflow(str(error)))
    layout.write_manifest(folder, manifest)
    return compiled


def _describe_input(signature: Signature, config: AdoptionConfig) -> Input:
    sides = {}
    for name, fixed, said in [
        ("height", signature.height, config.height),
        ("width", signature.width, config.width),
    ]:
        if fixed and said not in (0, fixed):
            raise ConfigError(f"{name} must be {fixed}: the graph takes nothing else; got {said}")
        if not (fixed or said):
            raise ConfigError(f"{name} must be given: the graph takes pictures of any size")
        sides[name] = fixed or said
    if sides["height"] * sides["width"] > MAX_PIXELS:
        raise ModelsError(
            f"the graph takes {sides['height']} x {sides['width']} pixels: at most {MAX_PIXELS:,} "
            "are taken"
        )
    channels = signature.channels
    if not channels:
        if config.known_color is None:
            raise ConfigError("color must be given: the graph does not say how many channels")
        channels = config.known_color.channels
    return Input(signature=signature, **sides, channels=channels, resize=config.resize)


def _label_classes(config: AdoptionConfig, classes: int, tell: Tell) -> tuple[str, ...]:
    if config.labels is not None:
        labels = read_labels(config.labels)
        if len(labels) != classes:
            raise ConfigError(
                f"labels must be {classes} lines, one for each class of the graph: {config.labels} "
                f"has {len(labels)}"
            )
        return labels
    folders = class_folders(config.samples) if config.samples is not None else []
    if folders:
        if len(folders) != classes:
            raise ConfigError(
                f"labels must be given: the graph gives {classes} classes, {config.samples} has "
                f"{len(folders)} folders"
            )
        tell("class labels are the folders' names, in the order of the alphabet")
        return tuple(folder.name for folder in folders)
    tell("WARNING: no --labels: the classes are called 0, 1, 2, ...")
    return tuple(map(str, range(classes)))


def _golden_pictures(samples: Samples | None, examination: Examination) -> Iterator[GoldenPicture]:
    """One of each class while there is room; of unlabelled pictures the first; or drawn ones."""
    if samples is None:
        for number, pixels in enumerate(examination.pictures):
            yield GoldenPicture(name=f"drawn-{number}", pixels=pixels)
    elif samples.labels is None:
        for number, pixels in enumerate(samples.images[:MAX_GOLDEN]):
            yield GoldenPicture(name=str(number), pixels=pixels)
    else:
        for label in np.unique(samples.labels)[:MAX_GOLDEN]:
            pixels = samples.images[np.argmax(samples.labels == label)]
            yield GoldenPicture(name=str(label), pixels=pixels, truth=int(label))
