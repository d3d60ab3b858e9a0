"""What an evaluation found, for people and for programs."""

from saccade_models.report.content import Mistake, Report, collect_mistakes
from saccade_models.report.document import build_document
from saccade_models.report.writing import write_report

__all__ = ["Mistake", "Report", "build_document", "collect_mistakes", "write_report"]
