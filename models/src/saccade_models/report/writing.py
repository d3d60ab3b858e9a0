"""Writes a report's files."""

import json
from pathlib import Path

from saccade_models.report.content import Report
from saccade_models.report.document import build_document

JSON = "report.json"


def write_report(folder: Path, report: Report) -> None:
    """Writes `report.json` into a folder that is there; a file of that name is replaced.

    Raises:
        OSError: It can't be written.
    """
    text = json.dumps(build_document(report), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / JSON).write_text(text + "\n", "utf-8")
