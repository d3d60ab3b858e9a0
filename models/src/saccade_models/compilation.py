"""The form of a graph that LiteRT runs, or in a person's words why there is none."""

import re

from saccade_models.errors import ModelsError
from saccade_models.quiet import EVERYTHING, drop_native_chatter
from saccade_server.artifact import Artifact
from saccade_server.errors import ArtifactError, EngineError
from saccade_server.loading import Compiled, compile_form

MAX_REASON = 300


def compile_graph(artifact: Artifact) -> Compiled:
    """Compiles an artifact's graph and compares both.

    Raises:
        ModelsError: LiteRT can't take the graph, or computes something else; TensorFlow serves it.
    """
    try:
        with drop_native_chatter(EVERYTHING):  # A compiler that fails tells its whole state.
            return compile_form(artifact)
    except (EngineError, ArtifactError) as error:
        raise ModelsError(_reason(str(error))) from error


def warn_of_tensorflow(reason: str) -> str:
    """What a person hears of an artifact without a compiled form."""
    return f"WARNING: served by TensorFlow only, which is slower: {reason}"


def _reason(text: str) -> str:
    """LiteRT's compiler lists what it lacks after pages of positions."""
    missing = re.search(r"^(?:TF Select|Custom|Flex) ops: (.*)$", text, re.MULTILINE)
    if missing:
        return f"LiteRT lacks the operations {missing[1]}"
    return text.strip().partition("\n")[0][:MAX_REASON]
