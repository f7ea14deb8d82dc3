"""What a case is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Something to be measured."""

    name: str
    # A name for several cases.
    group: str
    # What is measured, in a few words.
    about: str
    # Takes a `Bench` and gives an `Outcome`.
    measure: object
    # The programs it runs besides those that are built.
    tools: tuple = ()
