"""Prints the descriptors that tritonclient ships, as base64 of a FileDescriptorSet."""

import base64
import sys

from google.protobuf import descriptor_pb2
from tritonclient.grpc import model_config_pb2, service_pb2

files = descriptor_pb2.FileDescriptorSet()
for module in (model_config_pb2, service_pb2):
    module.DESCRIPTOR.CopyToProto(files.file.add())
sys.stdout.write(base64.b64encode(files.SerializeToString()).decode())
