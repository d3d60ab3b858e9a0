from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ColorSpace(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLOR_SPACE_UNSPECIFIED: _ClassVar[ColorSpace]
    COLOR_SPACE_GRAY: _ClassVar[ColorSpace]
    COLOR_SPACE_RGB: _ClassVar[ColorSpace]
    COLOR_SPACE_BGR: _ClassVar[ColorSpace]

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_FLOAT32: _ClassVar[DataType]
    DATA_TYPE_UINT8: _ClassVar[DataType]

class ResizeRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESIZE_RULE_UNSPECIFIED: _ClassVar[ResizeRule]
    RESIZE_RULE_BILINEAR: _ClassVar[ResizeRule]
    RESIZE_RULE_BICUBIC: _ClassVar[ResizeRule]
    RESIZE_RULE_NEAREST: _ClassVar[ResizeRule]

class Activation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVATION_UNSPECIFIED: _ClassVar[Activation]
    ACTIVATION_PROBABILITIES: _ClassVar[Activation]
    ACTIVATION_LOGITS: _ClassVar[Activation]
COLOR_SPACE_UNSPECIFIED: ColorSpace
COLOR_SPACE_GRAY: ColorSpace
COLOR_SPACE_RGB: ColorSpace
COLOR_SPACE_BGR: ColorSpace
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_FLOAT32: DataType
DATA_TYPE_UINT8: DataType
RESIZE_RULE_UNSPECIFIED: ResizeRule
RESIZE_RULE_BILINEAR: ResizeRule
RESIZE_RULE_BICUBIC: ResizeRule
RESIZE_RULE_NEAREST: ResizeRule
ACTIVATION_UNSPECIFIED: Activation
ACTIVATION_PROBABILITIES: Activation
ACTIVATION_LOGITS: Activation

class Manifest(_message.Message):
    __slots__ = ("format", "model", "input", "output", "class_labels", "golden", "evaluation", "provenance", "files", "compiled")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CLASS_LABELS_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    COMPILED_FIELD_NUMBER: _ClassVar[int]
    format: int
    model: str
    input: InputSpec
    output: OutputSpec
    class_labels: _containers.RepeatedScalarFieldContainer[str]
    golden: GoldenSet
    evaluation: Evaluation
    provenance: Provenance
    files: _containers.RepeatedCompositeFieldContainer[FileChecksum]
    compiled: _containers.RepeatedCompositeFieldContainer[CompiledForm]
    def __init__(self, format: _Optional[int] = ..., model: _Optional[str] = ..., input: _Optional[_Union[InputSpec, _Mapping]] = ..., output: _Optional[_Union[OutputSpec, _Mapping]] = ..., class_labels: _Optional[_Iterable[str]] = ..., golden: _Optional[_Union[GoldenSet, _Mapping]] = ..., evaluation: _Optional[_Union[Evaluation, _Mapping]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., files: _Optional[_Iterable[_Union[FileChecksum, _Mapping]]] = ..., compiled: _Optional[_Iterable[_Union[CompiledForm, _Mapping]]] = ...) -> None: ...

class InputSpec(_message.Message):
    __slots__ = ("signature", "name", "height", "width", "color_space", "data_type", "pixel_range", "resize")
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    COLOR_SPACE_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    PIXEL_RANGE_FIELD_NUMBER: _ClassVar[int]
    RESIZE_FIELD_NUMBER: _ClassVar[int]
    signature: str
    name: str
    height: int
    width: int
    color_space: ColorSpace
    data_type: DataType
    pixel_range: PixelRange
    resize: ResizeRule
    def __init__(self, signature: _Optional[str] = ..., name: _Optional[str] = ..., height: _Optional[int] = ..., width: _Optional[int] = ..., color_space: _Optional[_Union[ColorSpace, str]] = ..., data_type: _Optional[_Union[DataType, str]] = ..., pixel_range: _Optional[_Union[PixelRange, _Mapping]] = ..., resize: _Optional[_Union[ResizeRule, str]] = ...) -> None: ...

class PixelRange(_message.Message):
    __slots__ = ("black", "white", "mean", "std")
    BLACK_FIELD_NUMBER: _ClassVar[int]
    WHITE_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STD_FIELD_NUMBER: _ClassVar[int]
    black: float
    white: float
    mean: _containers.RepeatedScalarFieldContainer[float]
    std: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, black: _Optional[float] = ..., white: _Optional[float] = ..., mean: _Optional[_Iterable[float]] = ..., std: _Optional[_Iterable[float]] = ...) -> None: ...

class OutputSpec(_message.Message):
    __slots__ = ("name", "activation")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    activation: Activation
    def __init__(self, name: _Optional[str] = ..., activation: _Optional[_Union[Activation, str]] = ...) -> None: ...

class GoldenSet(_message.Message):
    __slots__ = ("samples", "max_abs_error")
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    MAX_ABS_ERROR_FIELD_NUMBER: _ClassVar[int]
    samples: _containers.RepeatedCompositeFieldContainer[GoldenSample]
    max_abs_error: float
    def __init__(self, samples: _Optional[_Iterable[_Union[GoldenSample, _Mapping]]] = ..., max_abs_error: _Optional[float] = ...) -> None: ...

class GoldenSample(_message.Message):
    __slots__ = ("path", "probabilities", "truth")
    PATH_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    path: str
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    truth: int
    def __init__(self, path: _Optional[str] = ..., probabilities: _Optional[_Iterable[float]] = ..., truth: _Optional[int] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("dataset", "samples", "accuracy", "metrics")
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    DATASET_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    samples: int
    accuracy: float
    metrics: _containers.ScalarMap[str, float]
    def __init__(self, dataset: _Optional[str] = ..., samples: _Optional[int] = ..., accuracy: _Optional[float] = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("dataset", "network", "seed", "command", "created_at", "versions", "parameters", "weights")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    network: str
    seed: int
    command: str
    created_at: str
    versions: _containers.ScalarMap[str, str]
    parameters: _containers.ScalarMap[str, str]
    weights: int
    def __init__(self, dataset: _Optional[str] = ..., network: _Optional[str] = ..., seed: _Optional[int] = ..., command: _Optional[str] = ..., created_at: _Optional[str] = ..., versions: _Optional[_Mapping[str, str]] = ..., parameters: _Optional[_Mapping[str, str]] = ..., weights: _Optional[int] = ...) -> None: ...

class FileChecksum(_message.Message):
    __slots__ = ("path", "sha256", "bytes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    path: str
    sha256: str
    bytes: int
    def __init__(self, path: _Optional[str] = ..., sha256: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class CompiledForm(_message.Message):
    __slots__ = ("engine", "path", "source_sha256", "max_abs_error", "quantization", "golden")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_SHA256_FIELD_NUMBER: _ClassVar[int]
    MAX_ABS_ERROR_FIELD_NUMBER: _ClassVar[int]
    QUANTIZATION_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_FIELD_NUMBER: _ClassVar[int]
    engine: str
    path: str
    source_sha256: str
    max_abs_error: float
    quantization: str
    golden: GoldenSet
    def __init__(self, engine: _Optional[str] = ..., path: _Optional[str] = ..., source_sha256: _Optional[str] = ..., max_abs_error: _Optional[float] = ..., quantization: _Optional[str] = ..., golden: _Optional[_Union[GoldenSet, _Mapping]] = ...) -> None: ...
