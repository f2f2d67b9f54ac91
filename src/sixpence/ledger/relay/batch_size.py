"""How much a relay reads at once, and how long it pauses, so that commands come first. No clock here."""

import msgspec

# The pause when little happens.
PAUSE_SECONDS = 0.5
# While commands wait, a relay pauses nine times as long as it works.
PAUSE_FACTOR = 9
# More rows than this in one step mean load.
BUSY_ROWS = 100
RETRY_SECONDS = 1.0
RETRY_SECONDS_MAX = 30.0


class StepResult(msgspec.Struct, frozen=True):
    """What a relay read in one transaction: rows of the outbox, the ledger's rows that they name, and how long it took.

    `full` means that it reached the batch size, so there may be more. `delayed_commands` means that commands waited
    while it worked.
    """

    outbox_rows: int = 0
    ledger_rows: int = 0
    full: bool = False
    delayed_commands: bool = False
    seconds: float = 0.0


class BatchSize(msgspec.Struct, frozen=True):
    """The most rows of the outbox and of the ledger that a step reads, and the pause between steps under load."""

    outbox_rows_max: int
    ledger_rows_max: int
    busy_pause_seconds: float

    def pause_seconds(self, step: StepResult) -> float:
        """How long to pause after this step."""
        least = PAUSE_FACTOR * step.seconds if step.delayed_commands else 0.0
        if step.full:
            return least
        busy = step.delayed_commands or step.ledger_rows > BUSY_ROWS
        return max(least, self.busy_pause_seconds if busy else PAUSE_SECONDS)


def retry_seconds(failures: int) -> float:
    """How long to wait after this many failures in a row."""
    return min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2.0 ** min(failures - 1, 30))


# SQLite's only writer thread runs the relay, too. So the batches are small, and a command waits for one step at most.
SQLITE = BatchSize(outbox_rows_max=200, ledger_rows_max=2_000, busy_pause_seconds=1.0)
# On PostgreSQL the relay runs beside the writer. The more uses of an account come together, the fewer sums are written.
POSTGRESQL = BatchSize(outbox_rows_max=10_000, ledger_rows_max=20_000, busy_pause_seconds=3.0)
