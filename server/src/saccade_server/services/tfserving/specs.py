"""ModelSpec: from what a request names to the version that answers.

With the codes and texts that TensorFlow Serving's clients know.
"""

from typing import Any

from saccade_server.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    SaccadeError,
    Unavailable,
)
from saccade_server.registry import LoadedVersion, Registry, Version

MAX_TEXT = 1024
"""Characters of an error's text."""


def find_version(registry: Registry, request: Any, key: str = "") -> LoadedVersion:
    """The version that answers a request.

    Args:
        registry: Of the models.
        request: With a model_spec.
        key: See `Registry.find`.

    Raises:
        InvalidArgument: There is no model_spec or no name, or the label is unknown.
        NotFound: There is no such model or version, or it does not answer now.
        Unavailable: See `Registry.check_known`.
    """
    spec = named(request)
    registry.check_known()
    try:
        if version := _specific(spec):
            return registry.find(spec.name, version)
        return registry.find(spec.name, label=_known_label(registry, spec), key=key)
    except (NotFound, Unavailable):
        asked = f"Latest({spec.name})"
        if version:
            asked = f"Specific({spec.name}, {spec.version.value})"
        raise NotFound(f"Servable not found for request: {asked}") from None


def find_versions(registry: Registry, request: Any) -> list[Version]:
    """What is known of the versions that a request is about, newest first.

    Raises:
        InvalidArgument: As `find_version`.
        NotFound: There is no such model or version.
        Unavailable: See `Registry.check_known`.
    """
    spec = named(request)
    registry.check_known()
    try:
        if version := _specific(spec):
            return [registry.describe(spec.name, version)]
    except NotFound:
        number = spec.version.value
        raise NotFound(f"Could not find version {number} of model {spec.name}") from None
    if label := _known_label(registry, spec):
        return [registry.describe(spec.name, label=label)]
    versions = registry.models.get(spec.name)
    if not versions:
        raise NotFound(f"Could not find any versions of model {spec.name}")
    return versions


def named(request: Any) -> Any:
    """The request's model_spec.

    Raises:
        InvalidArgument: There is none, or it names no model.
    """
    if not request.HasField("model_spec"):
        raise InvalidArgument("Missing ModelSpec")
    if not request.model_spec.name:
        raise InvalidArgument("ModelSpec has no name specified.")
    return request.model_spec


def signature_name(spec: Any, version: LoadedVersion) -> str:
    """The signature that a ModelSpec asks for; without a name, the one that the manifest names.

    Raises:
        FailedPrecondition: It is another one: only that one is served.
    """
    signature = version.artifact.input.signature
    if spec.signature_name not in ("", signature):
        raise FailedPrecondition(f'Serving signature key "{spec.signature_name}" not found.')
    return signature


def set_spec(target: Any, version: LoadedVersion, signature: str = "") -> None:
    """Says what answered."""
    target.name = version.model
    target.version.value = version.version
    target.signature_name = signature


def shortened(error: SaccadeError) -> SaccadeError:
    """The same error with a text of bounded length, as TensorFlow Serving cuts it."""
    if len(error.message) <= MAX_TEXT:
        return error
    text = f"{error.message[:MAX_TEXT]}...TRUNCATED"
    return type(error)(text, retry_after_s=error.retry_after_s)


def _specific(spec: Any) -> int:
    """The version's number, if the spec names one; no version has a number below 1."""
    if spec.WhichOneof("version_choice") != "version":
        return 0
    return int(spec.version.value) or -1


def _known_label(registry: Registry, spec: Any) -> str:
    label: str = spec.version_label
    versions = registry.models.get(spec.name, ())
    if label and not any(label in version.labels for version in versions):
        raise InvalidArgument(f"Unrecognized servable version label: {label}")
    return label
