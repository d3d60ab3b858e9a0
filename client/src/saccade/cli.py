"""What the commands of `saccade` do and print. Flags and exit codes: `__main__`."""

import argparse
import dataclasses
import enum
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import grpc

from saccade._errors import InputError
from saccade._health import Health
from saccade._images import prepare_images
from saccade._models import Model
from saccade._options import ClientOptions, Tls
from saccade._results import ImageError, Prediction
from saccade._sync import Client
from saccade._table import print_table

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"})

# Images of one call: what is printed, and what the timeout applies to, at a time.
CALL_IMAGES = 256


def run(flags: argparse.Namespace) -> int:
    """Runs one command and returns its exit code.

    Raises:
        InputError: A flag or path is wrong.
        SaccadeError: The call failed.
    """
    with Client(flags.server, _options(flags)) as client:
        match flags.command:
            case "classify":
                code = _classify(client, flags)
            case "models":
                code = _list_models(client, flags)
            case _:
                code = _check_health(client, flags)
    # Here, where a reader that has gone is still an error of this command.
    sys.stdout.flush()
    return code


def find_images(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path as it is, and instead of a folder the image files in it, sorted, at any depth."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            files = (Path(folder, name) for name in sorted(names))
            yield from (file for file in files if file.suffix.lower() in SUFFIXES)


def _classify(client: Client, flags: argparse.Namespace) -> int:
    paths = list(find_images(flags.paths))
    if not paths:
        raise InputError(f"no {', '.join(sorted(SUFFIXES))} files in {_join(flags.paths)}")
    outcomes: list[Prediction | ImageError] = []
    try:
        for start in range(0, len(paths), CALL_IMAGES):
            part = paths[start : start + CALL_IMAGES]
            found = _classify_part(client, part, flags)
            outcomes += found
            if flags.json:
                for path, outcome in zip(part, found, strict=True):
                    print(json.dumps(_record(path, outcome)))
    finally:
        # Also when a later call failed: what was answered is worth having.
        if outcomes and not flags.json:
            _print_outcomes(paths, outcomes)
    return int(any(isinstance(outcome, ImageError) for outcome in outcomes))


def _classify_part(
    client: Client, paths: Sequence[Path], flags: argparse.Namespace
) -> list[Prediction | ImageError]:
    """One outcome a path. A file that cannot be read fails alone, like a picture that is none."""
    unreadable: dict[Path, ImageError] = {}
    for index, path in enumerate(paths):
        try:
            prepare_images(path)
        except InputError as error:
            unreadable[path] = ImageError(
                index=index, code=grpc.StatusCode.INVALID_ARGUMENT, message=error.message
            )
    readable = [path for path in paths if path not in unreadable]
    answered: Iterator[Prediction | ImageError] = iter(())
    if readable:
        answered = iter(
            client.classify(
                readable,
                model=flags.model,
                version=flags.version,
                label=flags.label,
                top_k=flags.top_k,
            )
        )
    return [unreadable[path] if path in unreadable else next(answered) for path in paths]


def _record(path: Path, outcome: Prediction | ImageError) -> dict[str, object]:
    """What `--json` prints for one image."""
    if isinstance(outcome, ImageError):
        error = {"code": outcome.code.name, "message": outcome.message}
        return {"path": str(path), "error": error}
    return {
        "path": str(path),
        "model": outcome.model.name,
        "version": outcome.model.version,
        "classes": [dataclasses.asdict(one) for one in outcome.classes],
    }


def _print_outcomes(paths: Sequence[Path], outcomes: Sequence[Prediction | ImageError]) -> None:
    rows = []
    # A call that failed leaves paths without outcome.
    for path, outcome in zip(paths, outcomes, strict=False):
        if isinstance(outcome, ImageError):
            rows.append((str(path), "failed", "", outcome.message))
        else:
            others = _join(f"{one.label} {one.score:.3f}" for one in outcome.classes[1:])
            rows.append((str(path), outcome.label, f"{outcome.score:.3f}", others))
    print_table(("image", "class", "score", "next"), rows)
    failed = sum(isinstance(outcome, ImageError) for outcome in outcomes)
    models = {str(outcome.model) for outcome in outcomes if isinstance(outcome, Prediction)}
    print(_join([f"{len(outcomes) - failed} classified", f"{failed} failed", *sorted(models)]))


def _list_models(client: Client, flags: argparse.Namespace) -> int:
    models = client.list_models()
    if flags.json:
        for model in models:
            print(json.dumps(dataclasses.asdict(model), default=_name))
        return 0
    rows = [row for model in models for row in _model_rows(model)]
    print_table(("model", "version", "state", "labels", "engine", "reason"), rows)
    return 0


def _model_rows(model: Model) -> Iterator[tuple[str, ...]]:
    for version in model.versions:
        number = str(version.version)
        if version.version == model.default_version:
            number += " (default)"
        labels = _join(version.labels)
        state = version.state.name.lower()
        yield model.name, number, state, labels, version.engine, version.reason


def _check_health(client: Client, flags: argparse.Namespace) -> int:
    health = client.health(flags.model)
    print(health.name)
    return int(health is not Health.SERVING)


def _options(flags: argparse.Namespace) -> ClientOptions:
    files = (flags.tls_ca, flags.tls_cert, flags.tls_key)
    tls = None
    if flags.tls or any(files):
        root, certificate, key = map(_read, files)
        tls = Tls(root_certificates=root, certificate_chain=certificate, private_key=key)
    token = flags.token
    if token is None and flags.token_file is None:
        token = os.environ.get("SACCADE_TOKEN") or None
    return ClientOptions(
        timeout_s=flags.timeout,
        tls=tls,
        token=token,
        token_file=flags.token_file,
        allow_plaintext_token=flags.allow_plaintext_token,
    )


def _read(path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def _join(parts: Iterable[object]) -> str:
    return ", ".join(map(str, parts))


def _name(value: enum.Enum) -> str:
    return value.name
