"""The errors of `saccade-models`: each text is one line for the person at the terminal.

ModelsError             the work could not be done; exit code 1
├── ConfigError         a flag has an impossible value; exit code 2
└── Interrupted         Ctrl-C or SIGTERM; exit code 130
"""

from typing import ClassVar


class ModelsError(Exception):
    """The work could not be done; the text says why and what to do."""

    exit_code: ClassVar[int] = 1


class ConfigError(ModelsError):
    """A setting has an impossible value; the text names the setting and what is possible."""

    exit_code = 2


class Interrupted(ModelsError):
    """Ctrl-C or SIGTERM; the text says what is kept and how it goes on."""

    exit_code = 130
