"""Prints the descriptors that the official client uses, as base64 of a FileDescriptorSet."""

import base64
import sys

from google.protobuf import descriptor_pb2
from tensorflow_serving.apis import (
    model_service_pb2,
    prediction_log_pb2,
    prediction_service_pb2,
)

files = descriptor_pb2.FileDescriptorSet()
waiting = [
    model_service_pb2.DESCRIPTOR,
    prediction_log_pb2.DESCRIPTOR,
    prediction_service_pb2.DESCRIPTOR,
]
seen = set()
while waiting:
    file = waiting.pop()
    if file.name not in seen:
        seen.add(file.name)
        file.CopyToProto(files.file.add())
        waiting.extend(file.dependencies)
sys.stdout.write(base64.b64encode(files.SerializeToString()).decode())
