"""The log: a line for each record on standard error, as text or as JSON, and no flood of them."""

from saccade_server.logs.formats import FORMATS, JsonFormatter, TextFormatter
from saccade_server.logs.limit import RateLimit, limit_log, log_is_full
from saccade_server.logs.standard_error import LineHandler, complain, set_up_logs

__all__ = [
    "FORMATS",
    "JsonFormatter",
    "LineHandler",
    "RateLimit",
    "TextFormatter",
    "complain",
    "limit_log",
    "log_is_full",
    "set_up_logs",
]
