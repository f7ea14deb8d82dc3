"""Captures, generated or given, and how they lie in the page cache.

A file that was written in small pieces lies there in single pages. One that was dropped and read from its beginning to
its end in large pieces lies in large folios; mapping it costs a tenth. Which it is decides a third of what a fast
reader takes, so a case says which file it reads.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure, run
from .places import DATA

SMALL = "small folios"
LARGE = "large folios"
# The size of the marker in front of the records of a file.
_MARKER = 4
_PAGE = 4 << 10
_PIECE = 1 << 20


@dataclass
class Capture:
    """A binary log, and what is in it."""

    path: Path
    requests: int
    # Unknown for a capture that was given.
    transactions: int = 0
    records: int = 0
    bytes: int = 0


def generate(products, requests, open_requests=0):
    """Generates a capture once; it depends on nothing but its size and how many requests are open in it."""
    DATA.mkdir(exist_ok=True)
    path = DATA / f"capture-{requests}-{open_requests}.vsl"
    note = path.with_suffix(".json")
    if not note.exists() or not path.exists():
        counts = run([products.generator, path, requests, 1, open_requests]).split()
        note.write_text(json.dumps([int(count) for count in counts]))
    return Capture(path, *json.loads(note.read_text()))


def repeat(given, program, least):
    """A capture that was given, as many times over as it takes to have so many bytes."""
    with _opened(given, os.O_RDONLY) as file:
        data = file.read()
    marker, records = data[:_MARKER], data[_MARKER:]
    if not marker.startswith(b"VSL") or not records:
        raise Failure(f"{given}: expected what varnishlog -w writes, not compressed")
    requests = run([program, "ncsa", "-r", given, "-F", "x"]).count("x")
    if requests == 0:
        raise Failure(f"{given}: expected requests, and there is none")
    times = -(-least // len(records))
    DATA.mkdir(exist_ok=True)
    path = DATA / "capture-given.vsl"
    with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
        file.write(marker)
        for _ in range(times):
            file.write(records)
    return Capture(path, requests * times, bytes=len(marker) + len(records) * times)


def lie(capture, folios):
    """The path of a copy of a capture that lies in the page cache in one of the two ways."""
    if folios == LARGE:
        _read_again(capture.path)
        return capture.path
    path = capture.path.with_suffix(".small.vsl")
    _write_in_pages(capture.path, path)
    return path


def in_both(capture):
    """Each of the two ways, with the path of the capture."""
    for folios in (SMALL, LARGE):
        yield folios, lie(capture, folios)


def _read_again(path):
    with _opened(path, os.O_RDONLY) as file:
        # Only pages that have been written to disk can be dropped from the cache.
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        buffer = bytearray(_PIECE)
        while file.readinto(buffer):
            pass


def _write_in_pages(source, target):
    target.unlink(missing_ok=True)
    with _opened(source, os.O_RDONLY) as whole, _opened(target, os.O_WRONLY | os.O_CREAT) as pieces:
        while data := whole.read(_PIECE):
            for begin in range(0, len(data), _PAGE):
                pieces.write(data[begin:begin + _PAGE])
        # Writing pages back during a run would add to the cost of the run.
        os.fsync(pieces.fileno())


def _opened(path, flags):
    try:
        return os.fdopen(os.open(path, flags, 0o644), "rb" if flags == os.O_RDONLY else "wb", buffering=0)
    except OSError as error:
        raise Failure(f"open {path}: {error.strerror}") from error
