"""All cases, in the order of the table."""

from . import compression, convert, follow, growth, live, metrics, outputs, shipping, startup, writing

ALL = [
    *convert.CASES, *metrics.CASES, *live.CASES, *follow.CASES, *startup.CASES, *growth.CASES, *compression.CASES,
    *shipping.CASES, *outputs.CASES, *writing.CASES,
]
