"""Where things are."""

from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent
# Captures, and the results of runs that don't go into the README.
DATA = HERE / "data"
# What the README shows.
FIGURES = HERE / "figures"
INSTRUCTIONS = HERE / "instructions"
README = HERE / "README.md"
