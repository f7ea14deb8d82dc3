"""What ends the benchmarks before they are done."""

import subprocess


class Failure(Exception):
    """One line that says what was attempted, and why it can't be done."""


def run(command, **options):
    """Runs a command whose failure is ours. Gives what it printed."""
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing is said").splitlines()[-1]
        raise Failure(f"exit status {done.returncode} of {' '.join(command)}: {said}")
    return done.stdout
