"""Measured values, and rows of the table that they make."""

import statistics
from dataclasses import asdict, dataclass, field


@dataclass
class Series:
    """The same measured several times."""

    values: list
    # Whether the values are rates, of which the greatest is the best.
    is_rate: bool = False

    @property
    def best(self):
        return max(self.values) if self.is_rate else min(self.values)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def spread(self):
        """The distance from the least to the greatest, as a part of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0

    def times(self, factor):
        return Series([value * factor for value in self.values], self.is_rate)

    def advantage_over(self, other):
        """How many times better than another one this is."""
        if self.is_rate:
            return self.best / other.best if other.best else None
        return other.best / self.best if self.best else None


@dataclass
class Row:
    """One thing that was measured of a case, beside something else if there is anything to compare with."""

    case: str
    # The circumstances of the measurement.
    setting: str
    # The measured quantity, with its unit.
    quantity: str
    ours: Series
    other: Series | None = None
    # The name of the other program or way.
    beside: str = "varnishncsa"
    # The name of what was measured first; mostly spillway.
    subject: str = "spillway"
    our_wall: Series | None = None
    other_wall: Series | None = None
    # Peaks of resident memory in MiB.
    our_peak: float | None = None
    other_peak: float | None = None
    # The value on the horizontal axis of a plot for this row.
    place: float | None = None
    # A remark.
    note: str = ""

    @property
    def ratio(self):
        return self.ours.advantage_over(self.other) if self.other else None

    @property
    def wall_ratio(self):
        return self.our_wall.advantage_over(self.other_wall) if self.our_wall and self.other_wall else None

    def to_json(self):
        kept = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        if self.ratio:
            kept["ratio"] = self.ratio
        if self.wall_ratio:
            kept["wall_ratio"] = self.wall_ratio
        return kept

    @classmethod
    def from_json(cls, kept):
        kept = {name: value for name, value in kept.items() if name not in ("ratio", "wall_ratio")}
        for name in ("ours", "other", "our_wall", "other_wall"):
            if name in kept:
                kept[name] = Series(**kept[name])
        return cls(**kept)


@dataclass
class Plot:
    """A picture of rows that have a place: those of one quantity, over what the place is."""

    name: str
    title: str
    quantity: str
    horizontal: str


@dataclass
class Outcome:
    """What came of a case."""

    rows: list
    plots: list = field(default_factory=list)
    # Results that were wrong.
    faults: list = field(default_factory=list)
