"""How fast a live log can be followed without losing a line.

Played at growing rates, twice as fast at each step and then in halves between what was followed and what wasn't, until
the two are close together. The programs take turns at every step, so that both meet the same machine. With a whole
core the player is the limit for a fast reader; so there is a case in which each may take a tenth of a core only.
"""

import sys
from dataclasses import dataclass

from .. import quota
from ..follower import Follower, count_lines, wait_until_settled
from ..player import Played
from ..series import Outcome, Row, Series
from .case import Case
from .live import NAMES, command

PART = 0.1
FIRST_RATE = 20_000
# The ratio of the bounds at which the search stops.
PRECISION = 1.08
# A rate is too high if lines are lost this often: a single loss may be the machine's fault.
TRIES = 2


@dataclass
class Search:
    """Between which rates the limit of a reader is known to be."""

    name: str
    followed: float = 0
    lost: float = 0
    # Whether the player couldn't go faster.
    is_unbeaten: bool = False

    @property
    def is_done(self):
        return self.is_unbeaten or (self.followed and self.lost and self.lost <= self.followed * PRECISION)

    def next_rate(self):
        if not self.followed and not self.lost:
            return FIRST_RATE
        if not self.lost:
            return self.followed * 2
        return (self.followed + self.lost) / 2 if self.followed else self.lost / 2


def attempt(bench, played, name, rate, part):
    """Lets a reader follow; what was the rate, and how many lines are missing?"""
    lines = bench.scratch / "lines"
    # A small log shows sooner which program falls behind.
    player = played.at(rate, bench.sizes.seconds, bench.scratch / "log", space="16M")
    follower = Follower(name, command(bench, name, player.directory) + ["-w", lines])
    limit = None
    try:
        follower.wait_until_attached()
        limit = quota.limit(follower, part) if part else None
        figures = player.wait_for_account()
        wait_until_settled(lines)
    finally:
        player.stop()
        follower.stop()
        if limit:
            limit.lift()
    missing = player.lines - count_lines(lines)
    lines.unlink()
    return played.requests_per_second(figures), missing, limit.way if limit else ""


def step(bench, played, search, part):
    asked = search.next_rate()
    fastest, way = 0, ""
    for _ in range(TRIES):
        rate, missing, way = attempt(bench, played, search.name, asked, part)
        fastest = max(fastest, rate)
        print(f"{search.name:12}{asked:10,.0f} requests/s asked for {rate:10,.0f} played {missing:10,} missing",
              file=sys.stderr, flush=True)
        is_short = rate < asked * 0.9
        if missing == 0 and not is_short:
            break
    if missing != 0:
        # The rate at which it was really played, if that was lower than requested.
        search.lost = min(asked, fastest)
        if search.followed >= search.lost:
            search.followed = 0
    else:
        search.followed = max(search.followed, min(asked, rate))
        search.is_unbeaten = is_short
    return way


def highest_rate(case, part):
    def measure(bench):
        played = Played(bench)
        searches, way = [Search(name) for name in NAMES], ""
        while waiting := [one for one in searches if not one.is_done]:
            for one in waiting:
                way = step(bench, played, one, part)
            searches.reverse()
        by_name = {one.name: one for one in searches}
        unbeaten = [name for name in NAMES if by_name[name].is_unbeaten]
        setting = f"{PART * 100:.0f} % of a core, by {way}" if part else "a core"
        ours, theirs = (Series([by_name[name].followed], is_rate=True) for name in NAMES)
        note = f"the player was the limit of {' and '.join(unbeaten)}" if unbeaten else ""
        return Outcome([Row(case, setting, "requests/s without a loss", ours, theirs, note=note)])

    return measure


CASES = [
    Case("quota", "live", "the highest rate without a loss, with a tenth of a core", highest_rate("quota", PART),
         ("varnishncsa",)),
    Case("follow", "live", "the highest rate without a loss, with all of a core", highest_rate("follow", None),
         ("varnishncsa",)),
]
