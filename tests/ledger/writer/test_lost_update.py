"""A batch whose account row is missing writes nothing: no transaction without its balance."""

import msgspec
import pytest

from sixpence.core.account.commands import Consume, EnsureAccount
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Request, collect_needs, decide_batch
from sixpence.ledger.writer.store import RowRejectedError
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, open_driver


@pytest.mark.parametrize("where", ["memory", "sqlite_url", "migrated_postgres_url"])
@pytest.mark.parametrize("misplaced", [{"account_id": "bob@example.com"}, {"account_no": 7}])
def test_append_refuses_a_missing_account_row(
    request: pytest.FixtureRequest, clock: MovedClock, where: str, misplaced: dict[str, object]
) -> None:
    """A row of another account and a missing row are both found before the commit."""
    driver = open_driver(Memory() if where == "memory" else str(request.getfixturevalue(where)), clock)
    uses = [Request(ADA, Consume(feature="video"))]
    decided = decide_batch(driver.store.load(collect_needs(uses, wait=True)), uses)
    account = msgspec.structs.replace(decided.append.accounts[0], **misplaced)

    with pytest.raises(RowRejectedError):
        driver.store.append(msgspec.structs.replace(decided.append, accounts=[account]))

    driver.store.roll_back()
    after = driver.loads(EnsureAccount()).accounts[ADA]
    driver.store.close()
    assert (after.seq, after.remaining) == (1, 6)
