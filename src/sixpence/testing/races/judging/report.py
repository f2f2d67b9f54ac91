"""The report of a race: the waves, the findings, and how to run the same race again."""

from collections.abc import Sequence
from typing import Self

import msgspec

from sixpence.testing.races.errors import RaceLostError
from sixpence.testing.races.judging.findings import Finding
from sixpence.testing.races.judging.judge import WaveRecord, group_keys, sum_moved


class WaveResult(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a wave: `calls` were sent for `keys`, of which some were served, some failed, some stayed open."""

    name: str
    calls: int
    keys: int
    served: int
    failed: int
    open: int
    moved: int

    @classmethod
    def of(cls, record: WaveRecord) -> Self:
        """Count the figures of a wave."""
        keys = group_keys(record)
        return cls(
            name=record.wave,
            calls=len(record.attempts),
            keys=len(keys.served) + len(keys.failed) + len(keys.open),
            served=len(keys.served),
            failed=len(keys.failed),
            open=len(keys.open),
            moved=sum_moved(record),
        )

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.calls} calls of {self.keys} keys: {self.served} served, {self.failed} failed, "
            f"{self.open} without an answer; {self.moved:+d} credits"
        )


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A finished race. `worth` is the change of the balance by a single call, `not_tried` lists the waves that lacked a
    call, and `left` is the reason why the account's balance could not be restored, or None.

    `report.check()` fails a test unless the report is clean; the message is `str(report)`.
    """

    call: str
    account_id: str
    seed: int
    worth: int
    waves: tuple[WaveResult, ...]
    findings: tuple[Finding, ...]
    not_tried: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    left: str | None = None

    @property
    def clean(self) -> bool:
        """Whether there are no findings; a wave that proved nothing is a finding."""
        return not self.findings

    @property
    def kinds(self) -> set[str]:
        """The kinds of the findings."""
        return {finding.kind for finding in self.findings}

    def check(self) -> None:
        """Raise `RaceLostError`, an AssertionError with the whole report, unless the report is clean."""
        if not self.clean:
            raise RaceLostError(str(self))

    def __str__(self) -> str:
        found = "nothing was found" if self.clean else _counted(len(self.findings), "finding")
        calls = sum(wave.calls for wave in self.waves)
        ran = f"{_counted(len(self.waves), 'wave')} of {calls} calls"
        parts = [
            f"Race on {self.call}, account {self.account_id}: {found} in {ran}.",
            f"A single call: {self.worth:+d} credits. Seed {self.seed}.",
            *(f"  {wave}" for wave in self.waves),
            *(f"  not tried: {each}" for each in self.not_tried),
            *(str(finding) for finding in self.findings),
            *_raised(self.raised),
            *([] if self.left is None else [self.left]),
        ]
        if self.findings:
            waves = ", ".join(f'"{name}"' for name in dict.fromkeys(finding.wave for finding in self.findings))
            parts.append(f"To run it again: race(..., seed={self.seed}, waves=[{waves}])")
        return "\n".join(parts)


def _raised(raised: Sequence[str]) -> list[str]:
    """The exceptions of the app, the most frequent first."""
    counted = sorted(dict.fromkeys(raised), key=raised.count, reverse=True)
    return [f"The app raised {each} ({_counted(raised.count(each), 'time')})" for each in counted[:5]]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
