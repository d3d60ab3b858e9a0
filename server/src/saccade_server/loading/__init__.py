"""From an artifact to a version that answers: find or make its compiled form, check, warm up."""

from saccade_server.loading.compile import Compiled, compile_form
from saccade_server.loading.engine_set import EngineConfig, EngineSet
from saccade_server.loading.forms import FormStore, golden_of
from saccade_server.loading.golden import golden_error, verify_golden
from saccade_server.loading.loader import Loader, LoadingConfig

__all__ = [
    "Compiled",
    "EngineConfig",
    "EngineSet",
    "FormStore",
    "Loader",
    "LoadingConfig",
    "compile_form",
    "golden_error",
    "golden_of",
    "verify_golden",
]
