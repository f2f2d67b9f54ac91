"""A batch whose account is not where it is to be written writes nothing: no row without its balance."""

import msgspec
import pytest

from sixpence.core.account.commands import Consume, EnsureAccount
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Request, asked_for, decide_batch
from sixpence.ledger.writer.store import RowRejectedError
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.lane_driver import ADA, open_till


@pytest.mark.parametrize("where", ["memory", "sqlite_url", "migrated_postgres_url"])
@pytest.mark.parametrize("misplaced", [{"account_id": "bob@example.com"}, {"account_no": 7}])
def test_an_account_that_is_not_there_is_missed(
    request: pytest.FixtureRequest, clock: MovedClock, where: str, misplaced: dict[str, object]
) -> None:
    """The row of another account, and no row at all, are both told before the commit."""
    till = open_till(Memory() if where == "memory" else str(request.getfixturevalue(where)), clock)
    uses = [Request(ADA, Consume(feature="video"))]
    decided = decide_batch(till.store.load(asked_for(uses, wait=True)), uses)
    account = msgspec.structs.replace(decided.append.accounts[0], **misplaced)

    with pytest.raises(RowRejectedError):
        till.store.append(msgspec.structs.replace(decided.append, accounts=[account]))

    till.store.abandon()
    after = till.loads(EnsureAccount()).accounts[ADA]
    till.store.close()
    assert (after.seq, after.remaining) == (1, 6)
