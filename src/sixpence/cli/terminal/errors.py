"""What a command refuses, as the one sentence that its user reads."""


class CommandRefusedError(Exception):
    """The command cannot do this; the message names the value at fault and the remedy."""
