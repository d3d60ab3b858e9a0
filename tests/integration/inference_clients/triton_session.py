"""A session with Triton's clients, run in their environment; prints what came back as JSON.

Arguments: the addresses for gRPC and HTTP, and a .npz file with `images` (n, H, W, C) as uint8 and
`files`, image files as an array of bytes objects.
"""

import asyncio
import json
import queue
import sys
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_grpc_aio
import tritonclient.http as triton_http
import tritonclient.http.aio as triton_http_aio
from tritonclient.utils import InferenceServerException

MODEL = "digits"
KINDS = {"FP16": "float16", "FP32": "float32", "FP64": "float64", "UINT8": "uint8"}
KINDS |= {"INT32": "int32", "INT64": "int64"}

seen: dict[str, Any] = {}


def tensors(module: Any, images: Any, files: Any) -> dict[str, Any]:
    """An input of each data type, by its name."""
    made = {}
    for kind, dtype in KINDS.items():
        made[kind] = module.InferInput("images", images.shape, kind)
        made[kind].set_data_from_numpy(images.astype(dtype))
    made["BYTES"] = module.InferInput("images", files.shape, "BYTES")
    made["BYTES"].set_data_from_numpy(files)
    return made


def sync_session(name: str, module: Any, address: str, images: Any, files: Any) -> None:
    client = module.InferenceServerClient(address)
    inputs = tensors(module, images, files)
    seen[f"{name} health"] = [
        client.is_server_live(),
        client.is_server_ready(),
        client.is_model_ready(MODEL),
        client.is_model_ready(MODEL, "1"),
        client.is_model_ready("nobody"),
    ]
    for kind, tensor in inputs.items():
        result = client.infer(MODEL, [tensor], request_id=kind, priority=1, timeout=30_000_000)
        seen[f"{name} {kind}"] = result.as_numpy("probabilities").tolist()
    wanted = module.InferRequestedOutput("probabilities", class_count=2)
    result = client.infer(MODEL, [inputs["UINT8"]], outputs=[wanted])
    seen[f"{name} classes"] = [text.decode() for text in result.as_numpy("probabilities").ravel()]
    wrong = module.InferInput("images", [1, 2, 2, 1], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 2, 2, 1), np.float32))
    bad = module.InferInput("images", [2], "BYTES")
    bad.set_data_from_numpy(np.array([files[0], b"no image"], object))
    for case, model, tensor in (
        ("unknown model", "nobody", inputs["FP32"]),
        ("wrong shape", MODEL, wrong),
        ("bad image", MODEL, bad),
    ):
        try:
            client.infer(model, [tensor])
        except InferenceServerException as error:
            seen[f"{name} {case}"] = [error.status(), error.message()]
    try:
        client.unload_model(MODEL)
    except InferenceServerException as error:
        seen[f"{name} unload"] = [error.status(), error.message()]
    client.close()


def describe(grpc_address: str, http_address: str) -> None:
    over_grpc = triton_grpc.InferenceServerClient(grpc_address)
    over_http = triton_http.InferenceServerClient(http_address)
    for call in (
        "get_server_metadata",
        "get_model_metadata",
        "get_model_config",
        "get_inference_statistics",
        "get_model_repository_index",
    ):
        arguments = [MODEL] if "model_" in call and "repository" not in call else []
        seen[f"grpc {call}"] = getattr(over_grpc, call)(*arguments, as_json=True)
        seen[f"http {call}"] = getattr(over_http, call)(*arguments)


def json_session(address: str, images: Any) -> None:
    """Tensors as JSON instead of bytes, and a compressed body."""
    client = triton_http.InferenceServerClient(address)
    tensor = triton_http.InferInput("images", images.shape, "FP32")
    tensor.set_data_from_numpy(images.astype(np.float32), binary_data=False)
    wanted = triton_http.InferRequestedOutput("probabilities", binary_data=False)
    for packing in (None, "gzip", "deflate"):
        result = client.infer(
            MODEL, [tensor], outputs=[wanted], request_compression_algorithm=packing
        )
        seen[f"json {packing}"] = result.as_numpy("probabilities").tolist()


def stream_session(address: str, images: Any) -> None:
    client = triton_grpc.InferenceServerClient(address)
    results: queue.Queue[Any] = queue.Queue()
    client.start_stream(callback=lambda result, error: results.put((result, error)))
    for index in range(len(images)):
        tensor = triton_grpc.InferInput("images", [1, *images.shape[1:]], "UINT8")
        tensor.set_data_from_numpy(images[index : index + 1])
        client.async_stream_infer(MODEL, [tensor], request_id=str(index))
    client.async_stream_infer("nobody", [tensor], request_id="bad")
    answers = [results.get(timeout=30) for _ in range(len(images) + 1)]
    client.stop_stream()
    *good, (_, error) = answers
    seen["stream"] = [result.as_numpy("probabilities")[0].tolist() for result, _ in good]
    seen["stream ids"] = [result.get_response().id for result, _ in good]
    seen["stream error"] = error.message()


async def async_session(name: str, module: Any, address: str, images: Any) -> None:
    async with module.InferenceServerClient(address) as client:
        tensor = module.InferInput("images", images.shape, "FP32")
        tensor.set_data_from_numpy(images.astype(np.float32))
        asked = [client.infer(MODEL, [tensor]) for _ in range(8)]
        results = await asyncio.gather(*asked)
        seen[name] = [result.as_numpy("probabilities").tolist() for result in results]


async def async_stream_session(address: str, images: Any) -> None:
    async def requests() -> Any:
        for index in range(len(images)):
            tensor = triton_grpc.InferInput("images", [1, *images.shape[1:]], "FP32")
            tensor.set_data_from_numpy(images[index : index + 1].astype(np.float32))
            yield {"model_name": MODEL, "inputs": [tensor], "request_id": str(index)}

    async with triton_grpc_aio.InferenceServerClient(address) as client:
        stream = client.stream_infer(requests())
        seen["aio stream"] = [
            result.as_numpy("probabilities")[0].tolist() async for result, _ in stream
        ]


def main() -> None:
    grpc_address, http_address, path = sys.argv[1:]
    with np.load(path, allow_pickle=True) as data:
        images, files = data["images"], data["files"]
    sync_session("grpc", triton_grpc, grpc_address, images, files)
    sync_session("http", triton_http, http_address, images, files)
    json_session(http_address, images)
    stream_session(grpc_address, images)
    asyncio.run(async_session("grpc aio", triton_grpc_aio, grpc_address, images))
    asyncio.run(async_session("http aio", triton_http_aio, http_address, images))
    asyncio.run(async_stream_session(grpc_address, images))
    describe(grpc_address, http_address)
    json.dump(seen, sys.stdout)


main()
