"""A small ledger with every kind of row, every state of a hold, claims, two catalogs and usage by day."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import msgspec

from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Close,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    Freeze,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
    Tick,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Feature
from sixpence.core.values.instant import DAY
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.relay.relay import Relay
from sixpence.ledger.writer.batch import Accepted
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import apply_catalog
from tests.ledger.moved_clock import START, MovedClock
from tests.ledger.writer.worker_driver import CATALOG, WorkerDriver, open_driver, reopen_driver

BOB = "bob@example.com"
ANOTHER_CATALOG = msgspec.structs.replace(CATALOG, features={**CATALOG.features, "sketch": Feature(2, title="Skizze")})


def write_every_kind(url: str, clock: MovedClock) -> None:
    """Fill a new database at the URL through the writer and the relay."""
    driver = open_driver(url, clock)
    _write_rows(driver, clock, lambda: apply_catalog(url, ANOTHER_CATALOG, clock()))
    driver.store.close()
    ledger = Ledger(url, catalog=CATALOG, clock=clock)
    with SyncCreditService(ledger) as service:
        service.initialize_user_credits(BOB, label="Bob", metadata={"team": 7})
        service.grant_credits(BOB, 5, source_key="invoice 7", expires_at=START + timedelta(days=9))
        asyncio.run(Relay(ledger).run_once())
    driver = reopen_driver(url, clock)
    driver.row(Consume(feature="sketch"), BOB)
    driver.row(Close(reason="gone"), BOB)
    driver.store.close()


def _write_rows(driver: WorkerDriver, clock: MovedClock, apply_another: Callable[[], None]) -> None:
    def row(command: Command, key: str | None = None) -> Transaction:
        clock.move(seconds=1)
        (outcome,) = driver.run(command, key=key)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.row is not None
        return outcome.row

    row(EnsureAccount(), "again")
    row(GrantCredits(amount=2, expires_at=clock() + DAY // 2, reason="an hour", features=("sketch",)))
    row(GrantCredits(amount=3, expires_at=clock() + DAY // 2, priority=900, features=("video",)))
    row(GrantCredits(amount=4, effective_at=clock() + DAY, category="paid", priority=7))
    use = row(Consume(feature="video", generation_id="g-1", metadata='{"seed":"é"}'), "use")
    kept = row(PlaceHold(feature="sketch", ttl_seconds=600))
    row(ExtendHold(hold_id=kept.id, ttl_seconds=1_200))
    row(CaptureHold(hold_id=kept.id), "capture")
    row(ReleaseHold(hold_id=row(PlaceHold(feature="sketch", ttl_seconds=600)).id, reason="failed"))
    left = row(PlaceHold(feature="sketch", ttl_seconds=60, amount=2))
    apply_another()
    clock.move(seconds=100)
    row(CaptureHold(hold_id=left.id, late=True))
    row(Refund(transaction_id=use.id, amount=1, reason="dark", actor="ops"))
    row(VoidGrant(grant_id=row(GrantCredits(amount=3)).id, revoke_spent=True))
    row(Adjust(amount=2, reason="counted", actor="ops"))
    row(ChangePlan(plan="basic"))
    clock.move(seconds=90_000)
    driver.run(Tick())
    row(Freeze(reason="odd"))
    row(Unfreeze())
    row(CancelPlan())
    row(PlaceHold(feature="video", ttl_seconds=9_000))
