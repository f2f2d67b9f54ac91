"""The report of a race: which waves ran, what they showed, and how to run the same again."""

from collections.abc import Sequence
from typing import Self

import msgspec

from sixpence.testing.races.errors import RaceLostError
from sixpence.testing.races.findings import Finding
from sixpence.testing.races.judge import Seen, keys_of, moved


class WaveResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wave: `calls` were sent for so many `keys`, of which some were served, failed or left open."""

    name: str
    calls: int
    keys: int
    served: int
    failed: int
    open: int
    moved: int

    @classmethod
    def of(cls, seen: Seen) -> Self:
        """The figures of a wave."""
        keys = keys_of(seen)
        return cls(
            name=seen.wave,
            calls=len(seen.attempts),
            keys=len(keys.served) + len(keys.failed) + len(keys.open),
            served=len(keys.served),
            failed=len(keys.failed),
            open=len(keys.open),
            moved=moved(seen),
        )

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.calls} calls of {self.keys} keys: {self.served} served, {self.failed} failed, "
            f"{self.open} never told; {self.moved:+d} credits"
        )


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A race that was run. `worth` is what one call alone did to the balance; `not_tried` says what would need more,
    and `left` why the account was not given back the balance that it had, where it was not.

    `report.check()` fails a test with all of it in words, which is what `str(report)` gives, too.
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
        """Whether every wave proved something and nothing was found."""
        return not self.findings

    @property
    def kinds(self) -> set[str]:
        """The kinds of what was found."""
        return {finding.kind for finding in self.findings}

    def check(self) -> None:
        """Raise `RaceLostError`, which is an AssertionError with the whole report, unless it is clean."""
        if not self.clean:
            raise RaceLostError(str(self))

    def __str__(self) -> str:
        found = "nothing was found" if self.clean else _counted(len(self.findings), "finding")
        calls = sum(wave.calls for wave in self.waves)
        ran = f"{_counted(len(self.waves), 'wave')} of {calls} calls"
        parts = [
            f"Race on {self.call}, account {self.account_id}: {found} in {ran}.",
            f"One call alone: {self.worth:+d} credits. Seed {self.seed}.",
            *(f"  {wave}" for wave in self.waves),
            *(f"  not tried: {each}" for each in self.not_tried),
            *(str(finding) for finding in self.findings),
            *_raised(self.raised),
            *([] if self.left is None else [self.left]),
        ]
        if self.findings:
            waves = ", ".join(f'"{name}"' for name in dict.fromkeys(finding.wave for finding in self.findings))
            parts.append(f"Again: race(..., seed={self.seed}, waves=[{waves}])")
        return "\n".join(parts)


def _raised(raised: Sequence[str]) -> list[str]:
    """What the app raised, each once, most often first."""
    counted = sorted(dict.fromkeys(raised), key=raised.count, reverse=True)
    return [f"The app raised {each} ({_counted(raised.count(each), 'time')})" for each in counted[:5]]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
