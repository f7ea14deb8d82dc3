"""How fast one writer thread compresses lines into a file, by each library, and how much smaller they get."""

from ..failure import run
from ..series import Outcome, Row, Series
from .case import Case
from .lines import lines_of

GZIP_LEVELS = (1, 3, 6, 9)
ZSTD_LEVELS = (1, 3)
WAYS = [way for level in GZIP_LEVELS for way in (f"gzip:{level}", f"gzip:{level}:zlib")]
WAYS = ["plain", *WAYS, *(f"zstd:{level}" for level in ZSTD_LEVELS)]


def compression(bench):
    rates, ratios = {way: [] for way in WAYS}, {}
    target = bench.scratch / "compression.out"
    with lines_of(bench) as lines:
        for _ in range(bench.sizes.rounds):
            for way in WAYS:
                size, _, _, spent, file_size = run([bench.products.ship, lines, target, way, "1"]).split()
                rates[way].append(int(size) / 1e6 / (int(spent) / 1e9))
                ratios[way] = int(size) / int(file_size)
    target.unlink()
    quantity = "MB/s of lines, by the writer's CPU"
    rows = []
    for way in WAYS:
        if way.endswith(":zlib"):
            continue
        by_zlib = f"{way}:zlib"
        note = f"{ratios[way]:.2f} times smaller"
        other = None
        if by_zlib in rates:
            other = Series(rates[by_zlib], is_rate=True)
            note += f", {ratios[by_zlib]:.2f} by zlib"
        ours = Series(rates[way], is_rate=True)
        setting = way.replace(":", " ")
        rows.append(Row("compression", setting, quantity, ours, other, beside="zlib", note=note))
    return Outcome(rows)


CASES = [Case("compression", "output", "lines into a compressed file, by level and library", compression)]
