"""The table of figures: what was measured, how sure that is, and what was asked for; as Markdown and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. Shares are in [0, 1] and shown in percent; `number` is how many were measured.

    `threshold` is what the figure should at least (with `at_most`: at most) be; None where it is only reported.
    `doubt` says why the figure is not to be trusted.
    """

    name: str
    value: float | None  # None: not measured
    unit: str = "%"
    number: int | None = None
    interval: Interval | None = None
    threshold: float | None = None
    at_most: bool = False
    doubt: str = ""

    @property
    def is_reached(self) -> bool | None:
        """None where there is no threshold, or no figure that counts."""
        if self.threshold is None or self.value is None or self.doubt:
            return None
        return self.value <= self.threshold if self.at_most else self.value >= self.threshold

    def shown(self, value: float) -> str:
        """A value of this row with its unit."""
        if self.unit == "%":
            return f"{100 * value:.1f} %"
        digits = 2 if abs(value) < 10 else 1
        return f"{value:.{digits}f} {self.unit}".strip()


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    if row.value is None:
        return row.name, "not measured", "", _threshold(row), ""
    interval = ""
    if row.interval is not None:
        low, high = row.interval
        scale, digits = (100, 1) if row.unit == "%" else (1, 2)
        interval = f"{scale * low:.{digits}f} to {scale * high:.{digits}f}"
    reached = {True: "yes", False: "no", None: ""}[row.is_reached]
    value = row.shown(row.value) + ("" if row.number is None else f" of {row.number}" if row.unit == "%" else "")
    return row.name, value, interval, _threshold(row), row.doubt or reached


def _threshold(row: Row) -> str:
    if row.threshold is None:
        return ""
    return f"{'≤' if row.at_most else '≥'} {row.shown(row.threshold)}"


def markdown(sections: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """One table with a line in bold for each section."""
    lines = ["| | reached | 95 % of such measurements | asked for | |", "|---|---|---|---|---|"]
    for title, rows in sections:
        lines.append(f"| **{title}** | | | | |")
        lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def as_json(sections: Sequence[tuple[str, Sequence[Row]]]) -> dict[str, list[dict[str, object]]]:
    """The same as plain data."""
    return {title: [{**asdict(row), "is_reached": row.is_reached} for row in rows] for title, rows in sections}
