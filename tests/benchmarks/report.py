"""The table for a person and the JSON for a program."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from statistics import median
from typing import Any

from rich.table import Table

from .samples import Sample, median_of, median_ratio, rates
from .targets import Check, Found

COLUMNS = (
    "images/s",
    "x naive",
    "p50 ms",
    "p99 ms",
    "server µs",
    "client µs",
    "refused p99",
    "late p99",
    "statuses",
)
"""Of one row's table. Microseconds are of processor time for each request; "refused" are the
requests answered by RESOURCE_EXHAUSTED, "late" is the open loop's generator."""


def figures_table(title: str, found: Found) -> Table:
    """The medians of one row's subjects; the ratio is to the last server of the row."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("subject")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    naive = next((each for name, each in found.rounds.items() if name.startswith("naive")), None)
    for name, samples in found.rounds.items():
        ratio = median_ratio(rates(samples), rates(naive)) if naive else math.nan
        table.add_row(
            name,
            f"{median_of(samples, lambda sample: sample.images_per_s):,.0f}",
            "" if math.isnan(ratio) else f"{ratio:.2f}",
            f"{median_of(samples, lambda sample: sample.p50_s) * 1e3:.2f}",
            f"{median_of(samples, lambda sample: sample.p99_s) * 1e3:.2f}",
            _microseconds([sample.server_cpu_s for sample in samples]),
            _microseconds([sample.client_cpu_s for sample in samples]),
            _milliseconds([sample.refusal_p99_s for sample in samples]),
            _milliseconds([sample.late_p99_s for sample in samples]),
            _statuses(samples),
        )
    return table


def checks_table(results: Mapping[str, Found]) -> Table:
    """All targets."""
    table = Table(title="Targets", title_justify="left", title_style="bold")
    for column in ("row", "subject", "what"):
        table.add_column(column)
    for column in ("target", "reached", "met"):
        table.add_column(column, justify="right")
    for row, found in results.items():
        for check in found.checks:
            sign = "≤" if check.at_most else "≥"
            table.add_row(
                row,
                check.subject,
                check.what,
                f"{sign} {_value(check, check.limit)}",
                _value(check, check.reached),
                "yes" if check.met else f"[bold red]missed by {check.missed_by:.0%}",
            )
    return table


def to_json(
    machine: Mapping[str, Any],
    settings: Mapping[str, Any],
    results: Mapping[str, Found],
    skipped: Mapping[str, str],
) -> dict[str, Any]:
    """Everything, with each round's samples; NaN becomes null."""
    rows = {
        name: {
            "rounds": {
                subject: [asdict(each) for each in samples]
                for subject, samples in found.rounds.items()
            },
            "checks": [
                asdict(check) | {"met": check.met, "missed_by": check.missed_by}
                for check in found.checks
            ],
        }
        for name, found in results.items()
    }
    document: dict[str, Any] = _finite(
        {"machine": machine, "settings": settings, "rows": rows, "skipped": skipped}
    )
    return document


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _value(check: Check, value: float) -> str:
    if check.unit == "%":
        return f"{value:.0%}"
    return f"{value:.2f} {check.unit}" if check.unit == "x" else f"{value:.1f} {check.unit}"


def _microseconds(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known) * 1e6:,.0f}" if known else ""


def _milliseconds(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known) * 1e3:.1f}" if known else ""


def _statuses(samples: list[Sample]) -> str:
    total: dict[int, int] = {}
    for sample in samples:
        for status, count in sample.statuses.items():
            total[status] = total.get(status, 0) + count
    return " ".join(f"{status}:{count}" for status, count in sorted(total.items()))
