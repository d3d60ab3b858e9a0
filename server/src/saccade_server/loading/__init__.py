"""From an artifact to a version that answers: find or make its compiled form, check, warm up.

`Loader` and the engines are imported from their modules: a task in a process of its own does
without what they need.
"""

from saccade_server.loading.compile import Compiled, compile_form
from saccade_server.loading.forms import FormStore, golden_of
from saccade_server.loading.golden import golden_error, verify_golden

__all__ = [
    "Compiled",
    "FormStore",
    "compile_form",
    "golden_error",
    "golden_of",
    "verify_golden",
]
