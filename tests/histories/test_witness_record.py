"""The witness: what it has acknowledged is on the disk and reads back unchanged."""

from pathlib import Path

import pytest

from tests.histories.history import Asked, Call
from tests.histories.witness_record import WitnessRecorder, read_calls

USE = Asked(1, "team-1", "consume", {"feature": "sketch"}, "key 1")
LOOK = Asked(2, "team-1", "read")


async def test_acknowledged_answers_read_back(tmp_path: Path) -> None:
    """An acknowledged answer is in the witness's file, and so is a request without an answer."""
    file = tmp_path / "testimony.jsonl"

    async with WitnessRecorder(file) as witness:
        use, _ = witness.sent(USE, 10), witness.sent(LOOK, 11)
        await witness.answered(use, returned_at=20, status=200, replayed=False, text='{"remaining": 5}')
        written = read_calls(file)

    answered = Call(USE, 10, returned_at=20, status=200, text='{"remaining": 5}', body={"remaining": 5})
    assert written == [answered, Call(LOOK, 11)]
    assert read_calls(file) == written


async def test_killed_witness_raises(tmp_path: Path) -> None:
    """A waiting client gets an error, and does not wait permanently."""
    async with WitnessRecorder(tmp_path) as witness:
        call = witness.sent(USE, 10)

        with pytest.raises(RuntimeError, match="the witness has gone"):
            await witness.answered(call, returned_at=20, status=200, replayed=False, text="{}")
