"""What all cases get: what was asked for, what is built, and where to put things."""

import functools
from dataclasses import dataclass
from pathlib import Path

from . import captures
from .products import Products


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    # Requests in the capture that is converted; a given capture is repeated up to this size.
    requests: int
    bytes: int
    # Runs of each program, in turn.
    runs: int
    # Rounds of longer measurements.
    rounds: int
    # Requests in captures of growing size: the last is fifty times the first.
    growing: tuple
    # How many requests are open, in captures of as many requests as `requests_if_open` says.
    open: tuple
    requests_if_open: int
    # Requests in the capture that is played into live logs.
    requests_played: int
    # How long a live log is followed, or nothing is written to one.
    seconds: float
    # How many times a program is started.
    starts: int


# The first is 1 GB; the growing ones are 0.1, 1, and 5 GB.
FULL = Sizes(
    requests=500_000, bytes=1_000_000_000, runs=7, rounds=5, growing=(50_000, 500_000, 2_500_000), open=(1_000, 10_000, 100_000),
    requests_if_open=500_000, requests_played=50_000, seconds=10, starts=200)
QUICK = Sizes(
    requests=25_000, bytes=50_000_000, runs=2, rounds=1, growing=(5_000, 50_000, 100_000), open=(100, 1_000, 10_000),
    requests_if_open=50_000, requests_played=25_000, seconds=2, starts=20)


class Bench:
    def __init__(self, sizes, binary, scratch, given=None):
        self.sizes = sizes
        # A capture to convert in place of the generated one.
        self.given = given
        self.products = Products(binary)
        # A directory in memory, for what programs write.
        self.scratch = Path(scratch)

    @property
    def spillway(self):
        return self.products.spillway

    @functools.cached_property
    def capture(self):
        """The capture that most cases convert."""
        if self.given:
            return captures.repeat(self.given, self.spillway, self.sizes.bytes)
        return self.generate(self.sizes.requests)

    @functools.cached_property
    def played(self):
        """The capture that is played into live logs."""
        return self.generate(self.sizes.requests_played)

    def generate(self, requests, open_requests=0):
        return captures.generate(self.products, requests, open_requests)
