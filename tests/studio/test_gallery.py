"""The gallery's files: complete or absent, separate for each account, and limited in number."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from sixpence_studio.gallery import GENERATIONS_MAX, Gallery, Generation
from sixpence_studio.orders.job import Made

NOON = datetime(2026, 5, 28, 12, tzinfo=UTC)
MADE = Made(b"the original", b"the result", "image/png", ".png")


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """An empty gallery."""
    return Gallery(tmp_path / "studio")


def made(number: int = 1, account_id: str = "ada") -> Generation:
    """An account's generation of this number, made that many minutes after noon, unpaid."""
    return Generation(
        generation_id=str(UUID(int=number)),
        account_id=account_id,
        feature="sketch",
        order="0" * 64,
        media_type="image/png",
        after_name="after.png",
        made_at=NOON + timedelta(minutes=number),
    )


def test_find_returns_a_stored_generation(gallery: Gallery) -> None:
    """A stored generation is found by its account and id, with both files."""
    gallery.store(made(), MADE)

    found = gallery.find("ada", made().generation_id)

    assert found == made()
    assert gallery.path(made(), "before").read_bytes() == b"the original"
    assert gallery.path(made(), "after").read_bytes() == b"the result"


def test_find_is_scoped_to_the_account(gallery: Gallery) -> None:
    """The same id of another account, and another id, are not found."""
    gallery.store(made(), MADE)

    assert gallery.find("bob", made().generation_id) is None
    assert gallery.find("ada", made(2).generation_id) is None


def test_list_paid_leaves_unpaid_out(gallery: Gallery) -> None:
    """An unpaid generation is not listed; the paid ones are, newest first."""
    for number in (1, 2, 3):
        gallery.store(made(number), MADE)

    paid = [
        gallery.mark_paid(made(number), paid_at=NOON + timedelta(hours=number), credits_consumed=1) for number in (1, 3)
    ]

    assert gallery.list_paid("ada") == [paid[1], paid[0]]
    assert gallery.list_unpaid() == [made(2)]
    assert (paid[0].paid_at, paid[0].credits_consumed) == (NOON + timedelta(hours=1), 1)


def test_account_id_that_looks_like_a_path(gallery: Gallery, tmp_path: Path) -> None:
    """An account id that looks like a path stays within the gallery, and is distinct from others."""
    gallery.store(made(account_id="../../ada"), MADE)
    gallery.store(made(account_id="ada"), MADE)

    assert gallery.find("../../ada", made().generation_id) == made(account_id="../../ada")
    assert [path.name for path in tmp_path.iterdir()] == ["studio"]


def test_store_removes_the_oldest_beyond_sixty(gallery: Gallery) -> None:
    """The newest sixty of an account stay; another account's are not touched."""
    gallery.store(made(account_id="bob"), MADE)
    for number in range(1, GENERATIONS_MAX + 3):
        gallery.store(made(number), MADE)

    found = [number for number in range(1, GENERATIONS_MAX + 3) if gallery.find("ada", made(number).generation_id)]

    assert found == list(range(3, GENERATIONS_MAX + 3))
    assert gallery.find("bob", made().generation_id) is not None


def test_remove_leaves_no_file(gallery: Gallery, tmp_path: Path) -> None:
    """A removed generation has no file any more, and removing it again is not an error."""
    gallery.store(made(), MADE)

    gallery.remove(made())
    gallery.remove(made())

    assert gallery.find("ada", made().generation_id) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_list_unpaid_removes_incomplete_folders(gallery: Gallery, tmp_path: Path) -> None:
    """Folders that a killed server was writing or removing are removed; complete ones stay."""
    gallery.store(made(), MADE)
    account = gallery.path(made(), "before").parents[1]
    for name in (".new-0123", ".gone-4567"):
        (account / name).mkdir()
        (account / name / "before.jpg").write_bytes(b"half a pic")

    unpaid = gallery.list_unpaid()

    assert unpaid == [made()]
    assert [path.name for path in account.iterdir()] == [made().generation_id]


def test_failed_store_leaves_nothing(gallery: Gallery) -> None:
    """A generation whose files cannot be written leaves no folder."""
    broken = Made(b"the original", "no bytes", "image/png", ".png")  # type: ignore[arg-type]

    with pytest.raises(TypeError):
        gallery.store(made(), broken)

    assert gallery.find("ada", made().generation_id) is None
    assert list(gallery.path(made(), "before").parents[1].iterdir()) == []


def test_folders_are_private(gallery: Gallery, tmp_path: Path) -> None:
    """The folders of an account are readable by the server's user alone."""
    gallery.store(made(), MADE)

    place = gallery.path(made(), "before").parent
    assert [oct(path.stat().st_mode & 0o777) for path in (place.parent, place)] == ["0o700", "0o700"]
