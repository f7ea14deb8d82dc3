"""Where things are."""

from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent
# Captures, and the results of runs that aren't shown in the README.
DATA = HERE / "data"
# The results shown in the README.
FIGURES = HERE / "figures"
INSTRUCTIONS = HERE / "instructions"
README = HERE / "README.md"
