"""Work on one artifact, in a process of its own.

The server starts this for what takes long or might go wrong badly: the memory, the seconds of work
and, at the worst, the crash stay out of the serving process. Tasks:

    compile   makes the form for LiteRT and keeps it
    mnn       makes the form for MNN of it, checks that, and tells how much quicker it is
    describe  finds out what the manifest of a bare SavedModel would say
    try       loads a form, checks its golden samples and finds out how it is best run
"""

import argparse
import json
import logging
import os
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from saccade_server.artifact import Artifact, make_artifact, read_artifact
from saccade_server.engines import load_engine
from saccade_server.errors import ArtifactError, EngineError
from saccade_server.loading.forms import FormStore, golden_of
from saccade_server.loading.golden import verify_golden
from saccade_server.loading.sizing import find_sizing
from saccade_server.loading.undescribed import parse_manifest


def main() -> int:
    """Does one task; prints its result, or what is wrong. Returns the exit code."""
    given = _arguments()
    logging.captureWarnings(capture=True)
    # What native code writes to standard output is not among the results.
    with open(os.dup(1), "w", encoding="utf-8") as results, open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            print(_do(given), file=results)
        except (ArtifactError, EngineError, OSError) as error:
            print(str(error).replace("\n", " "), file=sys.stderr)
            return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("compile", "mnn", "describe", "try"))
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, help="of an artifact that has none itself")
    parser.add_argument("--engine", default="litert", help="that runs the form")
    parser.add_argument("--form", type=Path)
    parser.add_argument("--target", type=Path, help="the file that is made")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--max-batch-images", type=int, default=1)
    return parser.parse_args()


def _do(given: argparse.Namespace) -> str:
    if given.task == "describe":
        from saccade_server.loading.describe import describe

        return str(describe(given.artifact, given.cache))
    artifact = _read(given)
    if given.task == "compile":
        from saccade_server.loading.compile import compile_form

        return str(FormStore(given.cache).keep(artifact, compile_form(artifact).data))
    if given.task == "mnn":
        from saccade_server.loading.compile_mnn import make_mnn_form

        return json.dumps(asdict(make_mnn_form(artifact, given.form, given.target)))
    loading = load_engine(artifact, given.engine, form=given.form, threads=given.threads)
    with closing(loading) as engine:
        verify_golden(artifact, engine, golden_of(artifact, given.form))
        return json.dumps(asdict(find_sizing(engine, artifact, given.max_batch_images)))


def _read(given: argparse.Namespace) -> Artifact:
    if given.manifest is None:
        return read_artifact(given.artifact)
    return make_artifact(given.artifact, parse_manifest(given.manifest))


if __name__ == "__main__":
    sys.exit(main())
