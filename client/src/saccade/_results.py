"""What `classify` gives back, and how it is read from answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import grpc

from saccade._errors import ImagesFailed, ServerError
from saccade._requests import PlannedRequest
from saccade._status import retry_after_s, status_code
from saccade.v1 import classifier_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRef:
    """A model's name and one of its versions."""

    name: str
    version: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredClass:
    """A class and its probability, 0 to 1. `index` is its position in the model's output."""

    label: str
    index: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What the model sees in one image.

    Attributes:
        index: The image's position in the caller's list.
        classes: Best first, at least one.
        model: What answered.
    """

    index: int
    classes: tuple[ScoredClass, ...]
    model: ModelRef

    @property
    def label(self) -> str:
        """The text of the best class."""
        return self.classes[0].label

    @property
    def score(self) -> float:
        """The probability of the best class, 0 to 1."""
        return self.classes[0].score


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageError:
    """Why one image has no prediction; its neighbours are not touched by it.

    Attributes:
        index: The image's position in the caller's list.
        message: What is wrong and what to do.
        retry_after_s: Seconds after which a retry makes sense; None where it is of no use.
    """

    index: int
    code: grpc.StatusCode
    message: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Where a request's time went at the server, in seconds. Stages may overlap.

    Attributes:
        batch_images: Images of the largest engine call that it was part of, others' included.
    """

    decode_s: float
    queue_s: float
    inference_s: float
    batch_images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One request's answer. A list that was split has several."""

    request_id: str
    model: ModelRef
    timings: Timings
    outcomes: tuple[Prediction | ImageError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyResult:
    """One outcome for each image, in the caller's order: a sequence of them.

    Attributes:
        answers: One for each request that was made. They may name different versions, when a new
            one went live in between; each prediction says which was its own.
    """

    answers: tuple[Answer, ...]

    def __len__(self) -> int:
        return sum(len(answer.outcomes) for answer in self.answers)

    def __iter__(self) -> Iterator[Prediction | ImageError]:
        for answer in self.answers:
            yield from answer.outcomes

    def __getitem__(self, index: int) -> Prediction | ImageError:
        return tuple(self)[index]

    @property
    def errors(self) -> tuple[ImageError, ...]:
        """The images that failed."""
        return tuple(outcome for outcome in self if isinstance(outcome, ImageError))

    def raise_for_errors(self) -> tuple[Prediction, ...]:
        """The predictions of all images.

        Raises:
            ImagesFailed: At least one image has none.
        """
        if errors := self.errors:
            raise ImagesFailed(errors)
        return tuple(outcome for outcome in self if isinstance(outcome, Prediction))


def read_answer(response: pb.ClassifyResponse, planned: PlannedRequest) -> Answer:
    """The typed form of one answer.

    Raises:
        ServerError: The answer does not fit the request.
    """
    if len(response.results) != len(planned.images):
        raise ServerError(
            f"the server answered {len(response.results)} results for {len(planned.images)} images",
            code=grpc.StatusCode.INTERNAL,
            request_id=planned.request_id,
        )
    model = ModelRef(name=response.model.name, version=response.model.version)
    timings = response.timings
    return Answer(
        request_id=response.request_id or planned.request_id,
        model=model,
        timings=Timings(
            decode_s=timings.decode_us / 1e6,
            queue_s=timings.queue_us / 1e6,
            inference_s=timings.inference_us / 1e6,
            batch_images=timings.batch_images,
        ),
        outcomes=_outcomes(response.results, model, planned.first),
    )


def _outcomes(
    results: Sequence[pb.ImageResult], model: ModelRef, first: int
) -> tuple[Prediction | ImageError, ...]:
    return tuple(
        _prediction(result.classification, model, index)
        if result.classification.classes
        else _image_error(result.error, index)
        for index, result in enumerate(results, first)
    )


def _prediction(found: pb.Classification, model: ModelRef, index: int) -> Prediction:
    classes = tuple(
        ScoredClass(label=one.label, index=one.index, score=one.score) for one in found.classes
    )
    return Prediction(index=index, classes=classes, model=model)


def _image_error(error: pb.Error, index: int) -> ImageError:
    # A result with neither classes nor an error has code 0, and OK would be a lie.
    code = status_code(error.code) if error.code else grpc.StatusCode.UNKNOWN
    return ImageError(
        index=index,
        code=code,
        message=error.message or "the server gave no reason",
        retry_after_s=retry_after_s(error),
    )
