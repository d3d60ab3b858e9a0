"""Compiles one artifact, in a process of its own.

The server starts this where an artifact was not compiled when it was made: TensorFlow's memory,
its seconds of work and, at the worst, its crash stay out of the serving process.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from saccade_server.artifact import read_artifact
from saccade_server.errors import ArtifactError, EngineError
from saccade_server.loading.compile import compile_form
from saccade_server.loading.forms import FormStore


def main() -> int:
    """Compiles; prints the form's path, or what is wrong. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    logging.captureWarnings(capture=True)
    if hasattr(os, "nice"):
        os.nice(10)  # Requests go first.
    try:
        artifact = read_artifact(given.artifact)
        path = FormStore(given.cache).keep(artifact, compile_form(artifact).data)
    except (ArtifactError, EngineError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
