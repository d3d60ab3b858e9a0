"""Messages of other protocols, without a trace in the process."""

import gc
import weakref

import pytest
from google.protobuf import descriptor_pool, json_format

from saccade_server.protocols import inference_pb, tensorflow_pb, tensorflow_serving_pb


def test_a_message_is_a_class() -> None:
    """As generated code offers it."""
    spec = tensorflow_serving_pb.ModelSpec(name="digits", version={"value": 3})
    data = spec.SerializeToString()

    assert spec == tensorflow_serving_pb.ModelSpec.FromString(data)


def test_a_message_is_always_the_same_class() -> None:
    """Its instances belong to fields of that type wherever they are made."""
    shape = tensorflow_pb.TensorShapeProto()

    assert type(tensorflow_pb.TensorProto().tensor_shape) is type(shape)


def test_a_class_is_no_garbage_when_no_message_of_it_is_left() -> None:
    """Nor one that is declared within another one: protobuf may be about to use it again."""
    nested = weakref.ref(type(inference_pb.ModelInferRequest().inputs.add()))

    gc.collect()

    assert "InferInputTensor" == getattr(nested(), "__name__", "garbage")


def test_an_enum_and_its_values_are_there() -> None:
    """As generated code offers them."""
    assert "DT_UINT8" == tensorflow_pb.DataType.Name(tensorflow_pb.DT_UINT8)


def test_a_wrong_name_is_an_attribute_error() -> None:
    """It shows at the place that uses it."""
    with pytest.raises(AttributeError) as missing:
        _ = inference_pb.NoSuchMessage

    assert "the package 'inference' has no 'NoSuchMessage'" == str(missing.value)


def test_a_message_knows_its_well_known_types() -> None:
    """Any packs and unpacks messages of the pool."""
    response = tensorflow_serving_pb.GetModelMetadataResponse()
    response.metadata["signature_def"].Pack(tensorflow_serving_pb.SignatureDefMap())
    parsed = json_format.MessageToDict(
        response, descriptor_pool=tensorflow_serving_pb.PROTOCOL.pool
    )

    name = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    assert {"metadata": {"signature_def": {"@type": name}}} == parsed


@pytest.mark.parametrize(
    "name", ["inference/grpc_service.proto", "tensorflow_serving/prediction.proto"]
)
def test_nothing_is_registered_for_the_process(name: str) -> None:
    """Official clients register the same names there."""
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindFileByName(name)


def test_services_are_described() -> None:
    """For reflection."""
    service = inference_pb.PROTOCOL.pool.FindServiceByName("inference.GRPCInferenceService")

    assert "ModelInfer" in [method.name for method in service.methods]
