"""Creates checkpoints and compares a ledger with them, for tests over both databases.

Not here: the changes of the ledger in between.
"""

from collections.abc import Sequence

from sixpence.core.proof.checkpoint import Checkpoint
from sixpence.ledger.checkpoints.compare import Comparison, ExternalCheckpoint, compare
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.ledger.checkpoints.storage import list_chunks
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.database.snapshot import snapshot
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from tests.ledger.moved_clock import MovedClock

KEY = SigningKey("ab" * 32)
OTHER_KEY = SigningKey("cd" * 32)
NOTE = (
    f"checkpoints are signed with the public key {KEY.public_key}, which only the ledger itself names: "
    "compare it with the one you know, or name that with --public-key"
)


def sign(url: str, clock: MovedClock, key: SigningKey = KEY) -> Checkpoint:
    """Creates a checkpoint."""
    with SyncCreditService(Ledger(url, clock=clock)) as service:
        return service.make_checkpoint(key)


def use(url: str, clock: MovedClock, *account_ids: str, times: int = 1) -> None:
    """Consumes from each account `times` times, creating missing accounts."""
    with SyncCreditService(Ledger(url, clock=clock)) as service:
        for account_id in account_ids:
            service.initialize_user_credits(account_id)
            for _ in range(times):
                service.consume_credit(account_id, "interior")


def compared(url: str, *given: ExternalCheckpoint, trusted: Sequence[str] = (KEY.public_key,)) -> Comparison:
    """The comparison of the ledger with its checkpoints and these."""
    engine = reading_engine(parse_database_url(url))
    try:
        with engine.connect() as connection:
            return compare(connection, given, trusted=trusted)
    finally:
        engine.dispose()


def kept_elsewhere(url: str, checkpoint: Checkpoint) -> ExternalCheckpoint:
    """The checkpoint as a file has it, with its heads that the ledger has now."""
    return ExternalCheckpoint("monday", checkpoint, chunks(url, checkpoint.number))


def chunks(url: str, number: int) -> list[bytes]:
    """The stored heads of a checkpoint, chunk by chunk."""
    engine = reading_engine(parse_database_url(url))
    try:
        with engine.connect() as connection, snapshot(connection):
            return [chunk.heads for chunk in list_chunks(connection, number)]
    finally:
        engine.dispose()
