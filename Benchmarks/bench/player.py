"""Captures played into a live log."""

import re
import subprocess

from .failure import Failure

# The default size of a Varnish log.
USUAL_SPACE = "80M"


class Player:
    """A live log that a capture is played into."""

    def __init__(self, bench, capture, directory, *arguments, space=USUAL_SPACE, lines=0):
        """Waits until the log is there; then readers have the start's delay to find it."""
        self.directory = directory
        # How many lines a reader should make from all records played.
        self.lines = lines
        command = [bench.spillway, "replay", capture, "-n", directory, "--vsl-space", space, *arguments]
        self.process = subprocess.Popen(
            [str(word) for word in command], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        first = self.process.stderr.readline()
        if "the log is in" not in first:
            self.stop()
            raise Failure(f"can't play {capture}: {first.strip()}")

    def wait_for_account(self):
        """Waits until all has been played; the log still lingers."""
        said = self.process.stderr.readline()
        found = {name: float(value) for name, value in re.findall(r"\b(\w+)=([0-9.]+)", said)}
        if "rate" not in found:
            raise Failure(f"replay ended early: {said.strip()}")
        return found

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Played:
    """A capture to be played, and how many lines and transactions each pass over it has."""

    def __init__(self, bench):
        self.bench = bench
        self.path = bench.played.path
        self.transactions = bench.played.transactions
        self.lines = bench.played.requests

    def at(self, requests_per_second, seconds, directory, *arguments, **options):
        """Plays it for so long at a rate of requests, with time for readers before and behind."""
        rate = requests_per_second * self.transactions / self.lines
        passes = max(1, round(requests_per_second * seconds / self.lines))
        return Player(
            self.bench, self.path, directory, "--rate", f"{rate:.0f}", "--times", str(passes), "--start-delay", "3s",
            "--linger", "4s", *arguments, lines=passes * self.lines, **options)

    def requests_per_second(self, figures):
        return figures["rate"] * self.lines / self.transactions
