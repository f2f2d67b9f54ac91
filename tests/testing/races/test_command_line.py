"""Races against other processes: Sixpence's own endpoints, judged over HTTP, and the command line."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sixpence.testing.races import Call, RaceError, ServedLedger, race
from tests.ledger.databases import verify_clean
from tests.support.server import ServerProcess, running_server
from tests.testing.races.misbehaving_apps import raw_server

pytestmark = pytest.mark.slow

ADA = "ada@example.com"
USE = "/v1/accounts/ada@example.com/consume"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on a SQLite file; at the end its whole ledger is proved."""
    home = tmp_path_factory.mktemp("home")
    with running_server(f"sqlite:///{home / 'credits.db'}", home) as running:
        yield running
    verify_clean(f"sqlite:///{home / 'credits.db'}")


@pytest.fixture(scope="module")
def key(server: ServerProcess) -> str:
    """An API key of the server."""
    return server.create_key()


async def test_race_of_consume_endpoint_is_clean(server: ServerProcess, key: str) -> None:
    """A use over HTTP in every wave, judged over HTTP; another request under a used key is one of the waves."""
    headers = {"Authorization": f"Bearer {key}"}

    def other(used: str) -> Call:
        return Call("POST", USE, json={"feature": "video"}, headers={**headers, "Idempotency-Key": used})

    report = await race(
        server.url,
        Call("POST", USE, json={"feature": "interior"}, headers=headers),
        ledger=ServedLedger(server.url, api_key=key),
        account_id=ADA,
        other=other,
        failing=Call("POST", USE, json={"feature": "no such feature"}, headers=headers),
        calls=12,
    )

    report.check()
    assert (report.worth, report.not_tried, len(report.waves)) == (-1, (), 6)


async def test_race_of_grant_endpoint_is_clean(server: ServerProcess, key: str) -> None:
    """A payment's id grants once, however often it is delivered or cut off."""

    def paid(event: str) -> Call:
        body = {"amount": 50, "reason": "a payment", "source_key": event}
        return Call("POST", f"/v1/accounts/{ADA}/grants", json=body, headers={"Authorization": f"Bearer {key}"})

    ledger = ServedLedger(server.url, api_key=key)
    # More than a page of transactions.
    report = await race(server.url, paid, ledger=ledger, account_id=ADA, calls=60, waves=["at_once", "lost_answers"])

    report.check()
    assert report.worth == 50
    assert [wave.moved for wave in report.waves] == [3_000, 3_000]


async def test_race_reports_refused_api_key(server: ServerProcess) -> None:
    """The message quotes the server."""
    ledger = ServedLedger(server.url, api_key="nobody's")

    with pytest.raises(RaceError, match=r"refused POST /v1/accounts with 401.*invalid-api-key"):
        await race(server.url, Call("POST", USE), ledger=ledger, account_id=ADA)


async def test_race_reports_unreachable_ledger(server: ServerProcess) -> None:
    """The message asks whether the server runs."""
    ledger = ServedLedger("http://127.0.0.1:9", api_key="any")

    with pytest.raises(RaceError, match=r"The ledger at http://127\.0\.0\.1:9 does not answer"):
        await race(server.url, Call("POST", USE), ledger=ledger, account_id=ADA)


def test_command_line_prints_clean_report(server: ServerProcess, key: str) -> None:
    """Status 0 and the report, for an app in any language."""
    done = run_command_line(server, key, "--json", '{"feature": "interior"}')

    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "Race on POST /v1/accounts/ada@example.com/consume, account ada@example.com: nothing was found" in done.stdout
    )


def test_command_line_ends_with_1_if_race_cannot_run(server: ServerProcess, key: str) -> None:
    """The problem is one line on stderr."""
    done = run_command_line(server, key, "--json", '{"feature": "no such feature"}')

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("A single call did not succeed")
    assert "Traceback" not in done.stderr


def test_command_line_ends_with_1_if_race_is_lost(server: ServerProcess, key: str) -> None:
    """The report is on stdout."""
    # Without a key every try is a new use.
    done = run_command_line(
        server, key, "--json", '{"feature": "interior"}', "--key-header", "X-Ignored", "--grace", "0.5"
    )

    assert done.returncode == 1, done.stderr
    assert "double_charge in same_key" in done.stdout


@pytest.mark.parametrize("around", ["{}\r", " {}\n"])
def test_command_line_strips_api_key(server: ServerProcess, key: str, around: str) -> None:
    """A key from a file with other line ends is accepted, too."""
    done = run_command_line(server, key, "--json", '{"feature": "interior"}', SIXPENCE_KEY=around.format(key))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("header", ["Authorization Bearer spk_secret", "Authorization: Bearer spk_secret\r\nA: b"])
def test_command_line_hides_header_values(server: ServerProcess, key: str, header: str) -> None:
    """A refused header may contain a key."""
    done = run_command_line(server, key, "--header", header)

    assert done.returncode == 1
    assert "header" in done.stderr
    assert "spk_secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("url", ["http://[::1/p", "127.0.0.1:8000/p", "http://127.0.0.1:x/p"])
def test_command_line_ends_with_2_for_invalid_url(server: ServerProcess, url: str) -> None:
    """The message has the value and an example."""
    command = [sys.executable, "-m", "sixpence.testing.races", url, "--account", ADA, "--ledger", server.url]

    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{url!r} is not the URL of an endpoint. Give one such as http://localhost:3000/api/generate." in done.stderr
    assert "Traceback" not in done.stderr


async def test_command_line_ends_with_130_after_interrupt(server: ServerProcess, key: str) -> None:
    """One sentence, no report, and the account has its balance."""
    requested = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        # The first connection only tests whether a server listens, and sends nothing.
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            requested.set()
        await asyncio.sleep(30)

    async with raw_server(silent) as url:
        command = [sys.executable, "-m", "sixpence.testing.races", url, "--account", "bob", "--ledger", server.url]
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**server.environment, "SIXPENCE_KEY": key},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(requested.wait(), 30)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)

    message = "Interrupted: nothing was judged. Check that the account has its balance from before.\n"
    assert (process.returncode, out.decode(), err.decode()) == (130, "", message)
    assert (await ServedLedger(server.url, api_key=key).state("bob")).remaining == 6


def run_command_line(
    server: ServerProcess, key: str, *more: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """The command line against the server's own endpoint."""
    command = [sys.executable, "-m", "sixpence.testing.races", f"{server.url}{USE}"]
    own = [
        "--account",
        ADA,
        "--ledger",
        server.url,
        "--header",
        f"Authorization: Bearer {key}",
        "--calls",
        "9",
        "--seed",
        "1",
    ]
    return subprocess.run(
        [*command, *own, *more],
        env={**server.environment, "SIXPENCE_KEY": key, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=server.home,
    )
