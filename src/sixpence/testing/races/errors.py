"""The errors of a race.

RaceError           the race could not be run, so nothing was proved: something is wrong with app, call or ledger
RaceLostError       an AssertionError: the race was run, and its report has findings
"""


class RaceError(Exception):
    """The race could not be run; the message has the problem and the remedy."""


class RaceLostError(AssertionError):
    """The race was run and the app lost it; the message is the report."""
