"""An open loop: requests are sent at their intended times, however long earlier ones take (`load/open.lua`).

Latencies count from the intended time, so they include the wait for a connection. Lives here: running wrk by such a
schedule, and its output. Not here: the rates, and the judgement (`parts/overload`).
"""

import os
import re
import subprocess

import msgspec

from bench.wrk import SCRIPTS, THREADS_MAX, find_wrk

RUN = "open"
# Answers are waited for this long after the last request was due.
DRAIN_SECONDS = 3
# So many connections are made in a second at least, before the schedule begins.
_CONNECTED_A_SECOND = 2_000


class Seen(msgspec.Struct, frozen=True):
    """What the generator saw: counts, sums of times in microseconds, and histograms by whole milliseconds."""

    sums: dict[str, int]
    histograms: dict[str, dict[int, int]]
    all_from_sent: list[int]
    broken_connections: int

    @property
    def unanswered(self) -> int:
        """Requests that were sent and had no answer by the end."""
        return self.sums["sent"] - self.sums["accepted"] - self.sums["refused"] - self.sums["other"]

    def quantile_ms(self, histogram: str, share: float) -> float:
        """Return the milliseconds within which a share of a histogram's requests fell; 0 for an empty one."""
        counts = self.histograms[histogram]
        wanted, below = share * sum(counts.values()), 0
        for milliseconds in sorted(counts):
            below += counts[milliseconds]
            if below >= wanted:
                return milliseconds + 1.0
        return 0.0

    def share_within(self, histogram: str, milliseconds: int) -> float:
        """Return the share of a histogram's requests that took less than that; 1 for an empty one."""
        counts = self.histograms[histogram]
        within = sum(count for bin_ms, count in counts.items() if bin_ms < milliseconds)
        return within / sum(counts.values()) if counts else 1.0

    @property
    def refused_mean_ms(self) -> float | None:
        """The mean time of a refusal since it was sent; None without refusals, or if an answer is missing.

        It is exact although a refusal does not name its request: the sums of the sending times of all requests
        that were not accepted, and of the times of all refusals, are known.
        """
        sums = self.sums
        if not sums["refused"] or self.unanswered or sums["other"]:
            return None
        sent_sum = sums["sent_sum"] - sums["accepted_sent_sum"]
        return (sums["refused_answered_sum"] - sent_sum) / sums["refused"] / 1000

    def refused_quantile_ms(self, share: float) -> float | None:
        """The time from being sent within which a share of the refusals came: all answers without the accepted ones."""
        refused = self.sums["refused"]
        answered, wanted = refused + self.sums["accepted"], share * refused
        if not refused:
            return None
        for thousandths, microseconds in enumerate(self.all_from_sent, start=1):
            accepted = self._accepted_within(microseconds / 1000)
            if answered * thousandths / 1000 - accepted >= wanted:
                return microseconds / 1000
        return None

    def _accepted_within(self, milliseconds: float) -> float:
        counts = self.histograms["accepted_from_sent"]
        return sum(count * min(1.0, milliseconds - bin_ms) for bin_ms, count in counts.items() if bin_ms < milliseconds)


def run(url: str, *, rate: float, seconds: int, connections: int, key: str, accounts: int) -> Seen:
    """Send `rate` requests a second over the connections for `seconds`, then wait for the last answers."""
    lead_seconds = 1 + connections / _CONNECTED_A_SECOND
    own = {
        "BENCH_ACCOUNTS": str(accounts),
        "BENCH_HOST": url.partition("//")[2],
        "BENCH_KEY": key,
        "BENCH_LEAD": str(lead_seconds),
        "BENCH_RATE": str(rate),
        "BENCH_RUN": RUN,
        "BENCH_SECONDS": str(seconds),
        "BENCH_SHAPE": "uniform",
        "BENCH_THREADS": str(THREADS_MAX),
    }
    duration = round(lead_seconds + seconds + DRAIN_SECONDS + 1)
    options = ["-t", str(THREADS_MAX), "-c", str(connections), "-d", f"{duration}s", "--timeout", "60s"]
    command = [find_wrk(), *options, "-s", str(SCRIPTS / "open.lua"), url]
    done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"wrk failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return read(done.stdout)


def read(text: str) -> Seen:
    """Read what the script printed, and the broken connections that wrk reported."""
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", text)
    sums = {name: int(value) for name, value in re.findall(r"^sum (\w+) (\d+)$", text, re.MULTILINE)}
    histograms = {name: _counts(pairs) for name, pairs in re.findall(r"^histogram (\w+)(.*)$", text, re.MULTILINE)}
    shares = re.search(r"^all_from_sent (.+)$", text, re.MULTILINE)
    if "sent" not in sums or shares is None:
        raise RuntimeError(f"wrk said something unexpected:\n{text}")
    return Seen(
        sums=sums,
        histograms=histograms,
        all_from_sent=[int(value) for value in shares[1].split()],
        broken_connections=sum(map(int, broken.groups())) if broken else 0,
    )


def _counts(pairs: str) -> dict[int, int]:
    counts: dict[int, int] = {}
    for pair in pairs.split():
        milliseconds, count = map(int, pair.split(":"))
        counts[milliseconds] = counts.get(milliseconds, 0) + count
    return counts
