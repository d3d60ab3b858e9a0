"""A session with KServe's inference clients, run in their environment; see `triton_session.py`."""

import asyncio
import json
import sys
from typing import Any

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig

MODEL = "digits"


def request(images: Any, kind: str, dtype: str, binary: bool) -> Any:
    tensor = InferInput("images", list(images.shape), kind)
    tensor.set_data_from_numpy(images.astype(dtype), binary_data=binary)
    return InferRequest(model_name=MODEL, infer_inputs=[tensor])


async def main() -> None:
    grpc_address, http_address, path = sys.argv[1:]
    with np.load(path, allow_pickle=True) as data:
        images = data["images"]
    seen: dict[str, Any] = {}
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    base = f"http://{http_address}"
    async with InferenceGRPCClient(grpc_address) as client:
        seen["grpc health"] = [
            await client.is_server_live(),
            await client.is_server_ready(),
            await client.is_model_ready(MODEL),
        ]
        for kind, dtype in (("FP32", "float32"), ("UINT8", "uint8")):
            for binary in (True, False):
                result = await client.infer(request(images, kind, dtype, binary))
                seen[f"grpc {kind} {binary}"] = result.outputs[0].as_numpy().tolist()
    seen["rest health"] = [
        await rest.is_server_live(base),
        await rest.is_server_ready(base),
        await rest.is_model_ready(base, MODEL),
    ]
    for binary in (True, False):
        asked = request(images, "FP32", "float32", binary)
        result = await rest.infer(base, asked, model_name=MODEL)
        seen[f"rest FP32 {binary}"] = result.outputs[0].as_numpy().tolist()
    json.dump(seen, sys.stdout)


asyncio.run(main())
