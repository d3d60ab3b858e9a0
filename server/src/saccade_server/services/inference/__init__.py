"""The Open Inference Protocol, version 2, with Triton's extensions.

`service` and `administration` answer the methods; `reading` and `writing` turn messages into
tensors and back, by the rules of `tensors`; `describing` says what models are and have done.
"""

from saccade_server.services.inference.service import InferenceService

__all__ = ["InferenceService"]
