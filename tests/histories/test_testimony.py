"""The witness: what it has acknowledged is on the disk and reads back as it was told."""

from pathlib import Path

import pytest

from tests.histories.history import Asked, Call
from tests.histories.testimony import Witness, read_calls

USE = Asked(1, "team-1", "consume", {"feature": "sketch"}, "key 1")
LOOK = Asked(2, "team-1", "read")


async def test_what_is_safe_reads_back(tmp_path: Path) -> None:
    """An answer that the witness has acknowledged stands in its file, as does a request without one."""
    file = tmp_path / "testimony.jsonl"

    async with Witness(file) as witness:
        use, _ = witness.sent(USE, 10), witness.sent(LOOK, 11)
        await witness.answered(use, returned_at=20, status=200, replayed=False, text='{"remaining": 5}')
        written = read_calls(file)

    answered = Call(USE, 10, returned_at=20, status=200, text='{"remaining": 5}', body={"remaining": 5})
    assert written == [answered, Call(LOOK, 11)]
    assert read_calls(file) == written


async def test_a_witness_that_has_gone_is_missed(tmp_path: Path) -> None:
    """Whoever waits for it is told, and does not wait for ever."""
    async with Witness(tmp_path) as witness:
        call = witness.sent(USE, 10)

        with pytest.raises(RuntimeError, match="the witness has gone"):
            await witness.answered(call, returned_at=20, status=200, replayed=False, text="{}")
