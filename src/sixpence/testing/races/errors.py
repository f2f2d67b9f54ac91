"""What a race raises: that it could not be run at all, or that it found something.

RaceError           nothing was proved: the app, the call or the ledger is not what the race was told
RaceLostError       an AssertionError: the race was run, and its report has findings
"""


class RaceError(Exception):
    """The race could not be run; the message says what was wrong and what to do."""


class RaceLostError(AssertionError):
    """The race was run and the app lost it; the message is the report."""
