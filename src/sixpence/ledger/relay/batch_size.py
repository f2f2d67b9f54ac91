"""How much a relay reads at once, and how long it rests: commands go first. No clock here."""

import msgspec

# How soon something new is seen where nothing much happens.
REST_SECONDS = 0.5
# While commands wait, a relay takes one part of its time and leaves them nine.
PARTS_LEFT = 9
# So many rows between two looks are more than a quiet moment.
MANY_ROWS = 100
FAILED_SECONDS = 1.0
FAILED_SECONDS_MAX = 30.0


class Bite(msgspec.Struct, frozen=True):
    """What a relay read in one transaction: rows of the outbox, those of the ledger that they name, and how long.

    `full` says that it stopped at its size, so there is more; `waited` that commands waited while it worked.
    """

    outbox_rows: int = 0
    ledger_rows: int = 0
    full: bool = False
    waited: bool = False
    seconds: float = 0.0


class Bites(msgspec.Struct, frozen=True):
    """The size of a bite, in rows of the outbox and of the ledger, and the rest between bites under load."""

    outbox_rows_max: int
    ledger_rows_max: int
    busy_seconds: float

    def rest_seconds(self, bite: Bite) -> float:
        """How long to rest after this bite."""
        least = PARTS_LEFT * bite.seconds if bite.waited else 0.0
        if bite.full:
            return least
        busy = bite.waited or bite.ledger_rows > MANY_ROWS
        return max(least, self.busy_seconds if busy else REST_SECONDS)


def failed_seconds(times: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(FAILED_SECONDS_MAX, FAILED_SECONDS * 2.0 ** min(times - 1, 30))


# SQLite's one writer works for the relay as well: the bites are small, and commands wait for one at most.
SQLITE = Bites(outbox_rows_max=200, ledger_rows_max=2_000, busy_seconds=1.0)
# PostgreSQL works beside the writer: the more uses of an account come together, the fewer sums are written.
POSTGRESQL = Bites(outbox_rows_max=10_000, ledger_rows_max=20_000, busy_seconds=3.0)
