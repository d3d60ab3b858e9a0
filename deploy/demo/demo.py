"""The whole job once: train, export, serve, classify held-out digits, read the metrics.

Run by `make demo`. Everything is the real thing: the commands a user would type, the server as a
process of its own, the client library, the metrics over HTTP.
"""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latency import quantile
from rich.console import Console
from rich.table import Table

from saccade import Client, ImageError

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent
REPOSITORY = Path("models/repository")
SAMPLES = Path("build/demo/digits")
IMAGES = 20
LONE_REQUESTS = 500
START_S = 120.0


def main() -> int:
    """Runs the demo; returns its exit code."""
    show = Console()
    show.rule("train and export")
    run("saccade-models", "train", "--network", "cnn", "--dataset", "digits",
        "--output", str(REPOSITORY), "--name", "digits")  # fmt: skip
    run("saccade-models", "samples", "--dataset", "digits", "--count", str(IMAGES),
        "--output", str(SAMPLES))  # fmt: skip
    show.rule("serve")
    with serving() as (grpc_address, http_address), Client(grpc_address) as client:
        show.print(f"gRPC on {grpc_address}, metrics on http://{http_address}/metrics")
        show.rule("classify held-out images")
        right = classify(client, show)
        show.rule("measure")
        measure(client, http_address, show)
    show.print("server stopped, exit code 0")
    # The network errs on about one image of a hundred; more means that something is broken.
    return 0 if right >= IMAGES - 2 else 1


def run(*command: str) -> None:
    """Runs one of our commands in the project's folder."""
    subprocess.run([str(COMMANDS / command[0]), *command[1:]], cwd=ROOT, check=True)


@contextmanager
def serving() -> Iterator[tuple[str, str]]:
    """The server process, ready; stopped as by Ctrl-C at the end.

    Yields:
        Its gRPC and its HTTP address, HOST:PORT.
    """
    command = [str(COMMANDS / "saccade-server"), "serve", "--model-repository", str(REPOSITORY)]
    ports = ["--grpc-port", "0", "--http-port", "0", "--log-level", "warning"]
    with subprocess.Popen(
        [*command, *ports], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            if not line.startswith("ready "):
                raise RuntimeError(f"the server did not start (exit code {server.wait(10)})")
            addresses = dict(word.split("=") for word in line.split()[1:])
            yield addresses["grpc"], addresses["http"]
        finally:
            server.send_signal(signal.SIGINT)
        if server.wait(30):
            raise RuntimeError(f"the server ended with exit code {server.returncode}")


def classify(client: Client, show: Console) -> int:
    """Prints what the model sees in each image; returns how often it is right."""
    paths = sorted((ROOT / SAMPLES).glob("*.png"))
    table = Table("image", "prediction", "truth", "confidence")
    right = 0
    for path, outcome in zip(paths, client.classify(paths, model="digits"), strict=True):
        if isinstance(outcome, ImageError):
            raise RuntimeError(f"{path.name}: {outcome.message}")
        truth = path.stem.partition("-")[2]
        right += outcome.label == truth
        style = "" if outcome.label == truth else "bold red"
        table.add_row(path.name, outcome.label, truth, f"{outcome.score:.1%}", style=style)
    show.print(table)
    show.print(f"{right} of {len(paths)} right")
    return right


def measure(client: Client, http_address: str, show: Console) -> None:
    """Sends lone requests and prints the latencies that the server reports of them."""
    image = min((ROOT / SAMPLES).glob("*.png")).read_bytes()
    started = time.perf_counter()
    for _ in range(LONE_REQUESTS):
        client.classify(image, model="digits").raise_for_errors()
    seconds = time.perf_counter() - started
    with urllib.request.urlopen(f"http://{http_address}/metrics", timeout=10) as response:
        text = response.read().decode()
    show.print(f"{LONE_REQUESTS} requests of one PNG in {seconds:.2f} s; as /metrics has it:")
    table = Table("", "p50", "p99")
    labels = {"method": "Classify"}
    for title, name, match in [
        ("request", "saccade_request_seconds", labels),
        ("decode", "saccade_stage_seconds", {"stage": "decode"}),
        ("queue", "saccade_stage_seconds", {"stage": "queue"}),
        ("inference", "saccade_stage_seconds", {"stage": "inference"}),
    ]:
        figures = [quantile(text, name, q, match) for q in (0.5, 0.99)]
        table.add_row(title, *(f"{figure * 1e3:.2f} ms" for figure in figures))
    show.print(table)


if __name__ == "__main__":
    sys.exit(main())
