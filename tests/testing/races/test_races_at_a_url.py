"""Races against processes of their own: Sixpence's own endpoint, judged over HTTP, and a command line for any app."""

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
from tests.testing.races.crude import crude_server

ADA = "ada@example.com"
USE = "/v1/accounts/ada@example.com/consume"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server over a SQLite file; at the end its whole ledger is proved."""
    home = tmp_path_factory.mktemp("home")
    with running_server(f"sqlite:///{home / 'credits.db'}", home) as running:
        yield running
    verify_clean(f"sqlite:///{home / 'credits.db'}")


@pytest.fixture(scope="module")
def key(server: ServerProcess) -> str:
    """An API key of the server."""
    return server.create_key()


async def test_the_servers_own_endpoint_wins(server: ServerProcess, key: str) -> None:
    """A use over HTTP in every wave, another request under its key included, judged over HTTP."""
    shown = {"Authorization": f"Bearer {key}"}

    def other(used: str) -> Call:
        return Call("POST", USE, json={"feature": "video"}, headers={**shown, "Idempotency-Key": used})

    report = await race(
        server.url,
        Call("POST", USE, json={"feature": "interior"}, headers=shown),
        ledger=ServedLedger(server.url, api_key=key),
        account_id=ADA,
        other=other,
        failing=Call("POST", USE, json={"feature": "no such feature"}, headers=shown),
        calls=12,
    )

    report.check()
    assert (report.worth, report.not_tried, len(report.waves)) == (-1, (), 6)


async def test_grants_over_http_win(server: ServerProcess, key: str) -> None:
    """A payment's own name grants once, however often and cut off it is delivered."""

    def paid(event: str) -> Call:
        body = {"amount": 50, "reason": "a payment", "source_key": event}
        return Call("POST", f"/v1/accounts/{ADA}/grants", json=body, headers={"Authorization": f"Bearer {key}"})

    ledger = ServedLedger(server.url, api_key=key)
    # More than a page of transactions.
    report = await race(server.url, paid, ledger=ledger, account_id=ADA, calls=60, waves=["at_once", "lost_answers"])

    report.check()
    assert report.worth == 50
    assert [wave.moved for wave in report.waves] == [3_000, 3_000]


async def test_a_ledger_that_does_not_let_in_is_told(server: ServerProcess) -> None:
    """The server's own words are in the message."""
    ledger = ServedLedger(server.url, api_key="nobody's")

    with pytest.raises(RaceError, match=r"refused POST /v1/accounts with 401.*invalid-api-key"):
        await race(server.url, Call("POST", USE), ledger=ledger, account_id=ADA)


async def test_a_ledger_that_is_away_is_told(server: ServerProcess) -> None:
    """The message asks whether it runs."""
    ledger = ServedLedger("http://127.0.0.1:9", api_key="any")

    with pytest.raises(RaceError, match=r"The ledger at http://127\.0\.0\.1:9 does not answer"):
        await race(server.url, Call("POST", USE), ledger=ledger, account_id=ADA)


def test_the_command_line_races_any_app(server: ServerProcess, key: str) -> None:
    """An app in any language, from a shell: status 0 and the report."""
    done = commanded(server, key, "--json", '{"feature": "interior"}')

    assert (done.returncode, done.stderr) == (0, "")
    assert (
        "Race on POST /v1/accounts/ada@example.com/consume, account ada@example.com: nothing was found" in done.stdout
    )


def test_the_command_line_ends_with_1_where_nothing_was_proved(server: ServerProcess, key: str) -> None:
    """What was wrong stands in one line on stderr."""
    done = commanded(server, key, "--json", '{"feature": "no such feature"}')

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("One call alone did not succeed")
    assert "Traceback" not in done.stderr


def test_the_command_line_ends_with_1_where_the_race_is_lost(server: ServerProcess, key: str) -> None:
    """The report is on stdout all the same."""
    # Without a key on the call every try is a use of its own.
    done = commanded(
        server, key, "--json", '{"feature": "interior"}', "--key-header", "X-Not-Looked-At", "--grace", "0.5"
    )

    assert done.returncode == 1, done.stderr
    assert "double_charge in same_key" in done.stdout


@pytest.mark.parametrize("around", ["{}\r", " {}\n"])
def test_white_space_around_the_key_of_the_ledger_is_no_part_of_it(
    server: ServerProcess, key: str, around: str
) -> None:
    """A key from a file with another system's line ends lets in, too."""
    done = commanded(server, key, "--json", '{"feature": "interior"}', SIXPENCE_KEY=around.format(key))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("header", ["Authorization Bearer spk_secret", "Authorization: Bearer spk_secret\r\nA: b"])
def test_the_command_line_shows_no_headers_value(server: ServerProcess, key: str, header: str) -> None:
    """A header that is refused may have a key in it."""
    done = commanded(server, key, "--header", header)

    assert done.returncode == 1
    assert "header" in done.stderr
    assert "spk_secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("url", ["http://[::1/p", "127.0.0.1:8000/p", "http://127.0.0.1:x/p"])
def test_the_command_line_ends_with_2_where_the_url_is_none(server: ServerProcess, url: str) -> None:
    """A sentence that shows it, and how one is written."""
    command = [sys.executable, "-m", "sixpence.testing.races", url, "--account", ADA, "--ledger", server.url]

    done = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{url!r} is no URL of an endpoint. Give one as http://localhost:3000/api/generate." in done.stderr
    assert "Traceback" not in done.stderr


async def test_the_command_line_ends_with_130_where_it_is_interrupted(server: ServerProcess, key: str) -> None:
    """A sentence, no report of what was not judged to its end, and the account has what it had."""
    asked_for = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        # The first connection only looks whether anybody listens, and asks nothing.
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            asked_for.set()
        await asyncio.sleep(30)

    async with crude_server(silent) as url:
        command = [sys.executable, "-m", "sixpence.testing.races", url, "--account", "bob", "--ledger", server.url]
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**server.environment, "SIXPENCE_KEY": key},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(asked_for.wait(), 30)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), 30)

    says = "Interrupted, so nothing was judged. See that the account has the balance that it had.\n"
    assert (process.returncode, out.decode(), err.decode()) == (130, "", says)
    assert (await ServedLedger(server.url, api_key=key).state("bob")).remaining == 6


def commanded(server: ServerProcess, key: str, *more: str, **variables: str) -> "subprocess.CompletedProcess[str]":
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
