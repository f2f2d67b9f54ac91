"""Measure consumes a second over HTTP on both databases beside `pgbench`, interleaved, and write down what was seen."""

import argparse
import os
import platform
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bench import pgbench, wrk
from bench.probe import disturbed, fsyncs_a_second
from bench.served import Served, served
from sixpence.ledger import migrate
from sixpence.ledger.database import PostgresServer as PostgresPlace
from sixpence.ledger.database import place_of
from tests.support.postgres import PostgresServer

RESULTS = Path(__file__).with_name("results")
PGBENCH = "pgbench, one statement"
POSTGRES = "Sixpence, PostgreSQL, HTTP"
SQLITE = "Sixpence, SQLite, HTTP"


class Round(msgspec.Struct):
    """One round: the probes around it (fsyncs a second) and what each contender reached."""

    probe_before: float
    probe_after: float
    per_second: dict[str, float]
    latency_ms: dict[str, tuple[float, float]]

    @property
    def kept(self) -> bool:
        """Whether the machine stayed the same during the round."""
        return not disturbed(self.probe_before, self.probe_after)


def main() -> None:
    """Run the rounds, print the table, keep the figures."""
    asked = _arguments()
    estimate = asked.rounds * (3 * asked.seconds + 15) + 60
    print(f"{asked.rounds} rounds of three contenders, {asked.seconds} s each: about {estimate // 60 + 1} minutes.")
    wrk.find_wrk()
    rounds = [_round(asked, number) for number in range(1, asked.rounds + 1)]
    kept = [one for one in rounds if one.kept]
    print(f"\n{len(kept)} of {len(rounds)} rounds kept; the others moved more than 30 percent on the disk.\n")
    if kept:
        print(_table(kept))
    RESULTS.mkdir(exist_ok=True)
    facts = {"cores": os.cpu_count(), "python": platform.python_version(), **vars(asked), "rounds": rounds}
    path = RESULTS / f"consume-{time.strftime('%Y-%m-%d')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")
    print(f"\nWritten to {path.relative_to(Path.cwd())}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--accounts", type=int, default=10_000)
    return parser.parse_args()


def _round(asked: argparse.Namespace, number: int) -> Round:
    """Every contender once, each on a database made for this round."""
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer({"max_connections": "200"}))
        beside = server.create_database()
        pgbench.prepare(beside, asked.accounts)
        ours = server.create_database()
        place = place_of(ours)
        assert isinstance(place, PostgresPlace)
        migrate.upgrade_postgres(place)
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "credits.db"
        before = fsyncs_a_second()
        tps = pgbench.run(
            server.bin / "pgbench", beside, accounts=asked.accounts, clients=asked.connections, seconds=asked.seconds
        )
        runs = {POSTGRES: _ours(ours, asked, number), SQLITE: _ours(f"sqlite:///{file}", asked, number)}
        after = fsyncs_a_second()
    one = Round(
        probe_before=before,
        probe_after=after,
        per_second={PGBENCH: tps, **{name: run.per_second for name, run in runs.items()}},
        latency_ms={name: (run.p50_ms, run.p99_ms) for name, run in runs.items()},
    )
    figures = ", ".join(f"{name} {value:,.0f}/s" for name, value in one.per_second.items())
    print(f"round {number}: {figures}; disk {before:,.0f} and {after:,.0f}{'' if one.kept else ' (thrown away)'}")
    return one


def _ours(database: str, asked: argparse.Namespace, number: int) -> wrk.HttpRun:
    with served(database, asked.accounts) as server:
        run = wrk.run(
            server.url,
            key=server.key,
            accounts=asked.accounts,
            connections=asked.connections,
            seconds=asked.seconds,
            name=f"round-{number}",
        )
    _check(server, run)
    return run


def _check(server: Served, run: wrk.HttpRun) -> None:
    report = server.verify()
    if run.failed or not report.clean:
        raise SystemExit(f"{run.failed} requests failed; verify says: {report.differences or 'no difference'}")


def _table(rounds: list[Round]) -> str:
    lines = ["| contender | a second, median (least to most) | to pgbench | p50, p99 in ms |", "|---|---|---|---|"]
    for name in (PGBENCH, POSTGRES, SQLITE):
        rates = [one.per_second[name] for one in rounds]
        ratio = statistics.median(one.per_second[name] / one.per_second[PGBENCH] for one in rounds)
        times = [one.latency_ms[name] for one in rounds if name in one.latency_ms]
        latency = ", ".join(f"{statistics.median(column):.1f}" for column in zip(*times, strict=True)) or "-"
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        lines.append(f"| {name} | {statistics.median(rates):,.0f} ({spread}) | {ratio:.2f} | {latency} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
