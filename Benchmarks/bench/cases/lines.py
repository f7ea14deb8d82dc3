"""The lines of a capture, for cases that begin with lines."""

from contextlib import contextmanager

from ..failure import run


@contextmanager
def lines_of(bench):
    """A file in memory with the lines of the capture that most cases convert."""
    path = bench.scratch / "all.lines"
    run([bench.spillway, "ncsa", "-r", bench.capture.path, "-w", path])
    try:
        yield path
    finally:
        path.unlink()
