"""What a case is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Something to be measured."""

    name: str
    # A common name of several cases.
    group: str
    # A short description of what is measured.
    about: str
    # Takes a `Bench` and gives an `Outcome`.
    measure: object
    # The programs that it needs besides those that are built.
    tools: tuple = ()
