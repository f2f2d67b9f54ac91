"""Unpaid generations that a killed server left: the ledger decides which were charged."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sixpence import CreditService
from sixpence_studio.gallery import Gallery, Generation
from sixpence_studio.sweep import sweep
from tests.studio.test_gallery import MADE, made


@pytest.fixture
async def credits(tmp_path: Path) -> AsyncIterator[CreditService]:
    """A service on a SQLite file, in which Ada has six credits."""
    async with CreditService(f"sqlite:///{tmp_path / 'credits.db'}") as service:
        await service.initialize_user_credits("ada")
        yield service


def left(gallery: Gallery, number: int, account_id: str = "ada") -> Generation:
    """A stored generation whose server was killed before marking it as paid."""
    generation = made(number, account_id)
    gallery.store(generation, MADE)
    return generation


async def test_sweep_marks_charged_generations_as_paid(tmp_path: Path, credits: CreditService) -> None:
    """A generation whose charge is in the ledger is marked as paid, with the charge's time and credits."""
    gallery = Gallery(tmp_path / "studio")
    generation = left(gallery, 1)
    receipt = await credits.consume_credit("ada", "sketch", generation_id=generation.generation_id)

    await sweep(gallery, credits)

    (paid,) = gallery.list_paid("ada")
    assert (paid.generation_id, paid.paid_at) == (generation.generation_id, receipt.transaction.created_at)
    assert (paid.credits_consumed, gallery.list_unpaid()) == (1, [])


async def test_sweep_removes_uncharged_generations(tmp_path: Path, credits: CreditService) -> None:
    """A generation without a charge is removed, also one of an unknown account."""
    gallery = Gallery(tmp_path / "studio")
    left(gallery, 1)
    left(gallery, 2, account_id="nobody")
    await credits.consume_credit("ada", "sketch", generation_id=made(3).generation_id)

    await sweep(gallery, credits)

    assert (gallery.list_paid("ada"), gallery.list_unpaid()) == ([], [])


async def test_sweep_leaves_paid_generations(tmp_path: Path, credits: CreditService) -> None:
    """A paid generation does not change."""
    gallery = Gallery(tmp_path / "studio")
    paid = gallery.mark_paid(left(gallery, 1), paid_at=datetime.now(UTC), credits_consumed=1)

    await sweep(gallery, credits)

    assert gallery.list_paid("ada") == [paid]


async def test_sweep_waits_while_the_ledger_is_unavailable(tmp_path: Path, credits: CreditService) -> None:
    """While the database is unavailable, unpaid generations stay for the next start."""
    gallery = Gallery(tmp_path / "studio")
    generation = left(gallery, 1)
    await credits.close()

    await sweep(gallery, credits)

    assert gallery.list_unpaid() == [generation]
