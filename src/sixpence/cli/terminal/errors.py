"""The refusal of a command, as the one sentence that its user reads."""


class CommandRefusedError(Exception):
    """The command cannot do this; the message names the wrong value and the remedy."""
