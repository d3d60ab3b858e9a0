"""The errors of `saccade-models`: each text is one line for the person at the terminal.

ModelsError             the work could not be done; exit code 1
└── ConfigError         a flag has an impossible value; exit code 2
"""

from typing import ClassVar


class ModelsError(Exception):
    """The work could not be done; the text says why and what to do."""

    exit_code: ClassVar[int] = 1


class ConfigError(ModelsError):
    """A setting has an impossible value; the text names the setting and what is possible."""

    exit_code = 2
