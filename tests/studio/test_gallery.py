"""The gallery's files: whole or not at all, an account's own, and no more of them than are kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from sixpence_studio.gallery import KEPT_MAX, Gallery, Generation
from sixpence_studio.making import Made

NOON = datetime(2026, 5, 28, 12, tzinfo=UTC)
MADE = Made(b"the original", b"the result", "image/png", ".png")


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """An empty gallery."""
    return Gallery(tmp_path / "studio")


def made(number: int = 1, account_id: str = "ada") -> Generation:
    """An account's generation of this number, made as many minutes after noon, and not paid for."""
    return Generation(
        generation_id=str(UUID(int=number)),
        account_id=account_id,
        feature="sketch",
        order="0" * 64,
        media_type="image/png",
        after_name="after.png",
        made_at=NOON + timedelta(minutes=number),
    )


def test_what_is_kept_is_found(gallery: Gallery) -> None:
    """A kept generation is found by its account and id, with both files."""
    gallery.keep(made(), MADE)

    found = gallery.find("ada", made().generation_id)

    assert found == made()
    assert gallery.path(made(), "before").read_bytes() == b"the original"
    assert gallery.path(made(), "after").read_bytes() == b"the result"


def test_another_account_finds_nothing(gallery: Gallery) -> None:
    """The same id of another account, and another id, are not there."""
    gallery.keep(made(), MADE)

    assert gallery.find("bob", made().generation_id) is None
    assert gallery.find("ada", made(2).generation_id) is None


def test_only_what_is_paid_for_is_listed(gallery: Gallery) -> None:
    """Before it is paid for a generation hangs nowhere; then the newest comes first."""
    for number in (1, 2, 3):
        gallery.keep(made(number), MADE)

    paid = [
        gallery.mark_paid(made(number), paid_at=NOON + timedelta(hours=number), credits_consumed=1) for number in (1, 3)
    ]

    assert gallery.list_paid("ada") == [paid[1], paid[0]]
    assert gallery.list_unpaid() == [made(2)]
    assert (paid[0].paid_at, paid[0].credits_consumed) == (NOON + timedelta(hours=1), 1)


def test_an_account_id_may_be_anything(gallery: Gallery, tmp_path: Path) -> None:
    """An id that looks like a path stays within the gallery, and is told from others."""
    gallery.keep(made(account_id="../../ada"), MADE)
    gallery.keep(made(account_id="ada"), MADE)

    assert gallery.find("../../ada", made().generation_id) == made(account_id="../../ada")
    assert [path.name for path in tmp_path.iterdir()] == ["studio"]


def test_the_oldest_make_room(gallery: Gallery) -> None:
    """The last sixty of an account are kept; another account's are left alone."""
    gallery.keep(made(account_id="bob"), MADE)
    for number in range(1, KEPT_MAX + 3):
        gallery.keep(made(number), MADE)

    kept = [number for number in range(1, KEPT_MAX + 3) if gallery.find("ada", made(number).generation_id)]

    assert kept == list(range(3, KEPT_MAX + 3))
    assert gallery.find("bob", made().generation_id) is not None


def test_what_is_removed_is_gone(gallery: Gallery, tmp_path: Path) -> None:
    """A removed generation leaves no file, and removing it again is no error."""
    gallery.keep(made(), MADE)

    gallery.remove(made())
    gallery.remove(made())

    assert gallery.find("ada", made().generation_id) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_was_cut_off_is_tidied_away(gallery: Gallery, tmp_path: Path) -> None:
    """Folders on their way in or out when a server died are removed, and what is whole stays."""
    gallery.keep(made(), MADE)
    account = gallery.path(made(), "before").parents[1]
    for name in (".new-0123", ".gone-4567"):
        (account / name).mkdir()
        (account / name / "before.jpg").write_bytes(b"half a pic")

    unpaid = gallery.list_unpaid()

    assert unpaid == [made()]
    assert [path.name for path in account.iterdir()] == [made().generation_id]


def test_a_generation_that_could_not_be_written_is_not_there(gallery: Gallery) -> None:
    """What breaks off while it is written leaves nothing behind."""
    broken = Made(b"the original", "no bytes", "image/png", ".png")  # type: ignore[arg-type]

    with pytest.raises(TypeError):
        gallery.keep(made(), broken)

    assert gallery.find("ada", made().generation_id) is None
    assert list(gallery.path(made(), "before").parents[1].iterdir()) == []


def test_others_on_the_machine_see_nothing(gallery: Gallery, tmp_path: Path) -> None:
    """The folders of an account are readable by the server's user alone."""
    gallery.keep(made(), MADE)

    place = gallery.path(made(), "before").parent
    assert [oct(path.stat().st_mode & 0o777) for path in (place.parent, place)] == ["0o700", "0o700"]
