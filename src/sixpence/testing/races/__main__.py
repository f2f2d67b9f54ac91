"""The command line: a race against an app in any language, judged by the `sixpence serve` that it uses.

python -m sixpence.testing.races http://localhost:3000/api/generate --account user_1 --ledger http://localhost:8000
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sixpence.testing.races.calls import KEY_HEADER, Call, KeyedCall, place_at
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.racing import race
from sixpence.testing.races.served_ledger import ServedLedger

_KEY_VARIABLE = "SIXPENCE_KEY"
# What a shell says of a program that Ctrl-C ended.
_INTERRUPTED = 130
_EXAMPLE = '{"prompt": "a room"}'
_DESCRIPTION = """Fire parallel, repeated and cut off calls at an app's endpoint, and judge it by its ledger.

The call must work when it is sent once, and spend or give credits of the account, each time as many. In the bodies,
{KEY} becomes the key of each use or event. The account's balance is set for each wave and set back at the end: use an
account that is made for tests."""
_ENDING = f"""The API key of the ledger is read from {_KEY_VARIABLE}. Status 0: nothing was found; 1: something was, or
the race could not be run; 2: the command was not understood; 130: it was interrupted.

A webhook:  python -m sixpence.testing.races http://localhost:3000/api/paid --account user_1 \\
              --ledger http://localhost:8000 --json '{{"id": "{{KEY}}", "customer": "user_1", "credits": 50}}'"""


def main() -> int:
    """Run the race that the command line asks for; the status to end with."""
    asked = _parser().parse_args()
    api_key = os.environ.get(_KEY_VARIABLE, "").strip()
    if not api_key:
        return _refused(f"{_KEY_VARIABLE} is not set. Put an API key of the ledger there: sixpence key create.")
    url: SplitResult = asked.url
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        report = asyncio.run(
            race(
                f"{url.scheme}://{url.netloc}",
                _call(asked, path, asked.json),
                failing=None if asked.failing is None else _call(asked, path, asked.failing),
                other=None if asked.other is None else _call(asked, path, asked.other),
                ledger=ServedLedger(asked.ledger, api_key=api_key),
                account_id=asked.account,
                calls=asked.calls,
                seed=asked.seed,
                timeout_seconds=asked.timeout,
                grace_seconds=asked.grace,
            )
        )
    except RaceError as error:
        return _refused("\n".join((str(error), *getattr(error, "__notes__", ()))))
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted, so nothing was judged. See that the account has the balance that it had.\n")
        return _INTERRUPTED
    sys.stdout.write(f"{report}\n")
    return 0 if report.clean else 1


def _call(asked: argparse.Namespace, path: str, body: str | None) -> KeyedCall:
    headers = dict(_header(each) for each in asked.header)
    if body is not None:
        _parsed(body)

    def call(key: str) -> Call:
        own = {**headers, asked.key_header: key}
        sent = None if body is None else _parsed(body.replace("{KEY}", key))
        return Call(asked.method, path, json=sent, headers=own)

    return call


def _url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        place_at(f"{url.scheme}://{url.netloc}")
    except (ValueError, RaceError):
        example = "http://localhost:3000/api/generate"
        raise argparse.ArgumentTypeError(f"{text!r} is no URL of an endpoint. Give one as {example}.") from None
    return url


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        # Not shown: it may be a key.
        raise RaceError("A --header has no name. Write it as 'Name: value'.")
    return name.strip(), value.strip()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RaceError(f"{text!r} is not JSON: {error}. Send one as {_EXAMPLE}, quoted for the shell.") from None


def _refused(says: str) -> int:
    sys.stderr.write(f"{says}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sixpence.testing.races",
        description=_DESCRIPTION,
        epilog=_ENDING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", type=_url, help="the endpoint, with scheme and path")
    parser.add_argument("--account", required=True, help="the account that it charges or gives to")
    parser.add_argument("--ledger", required=True, help="where `sixpence serve` listens")
    parser.add_argument("--method", default="POST", help="the method (POST)")
    parser.add_argument("--json", help="the body of a call")
    parser.add_argument("--failing", metavar="JSON", help="the body of a call whose work fails")
    parser.add_argument("--other", metavar="JSON", help="the body of another request, sent under a key that was used")
    parser.add_argument("--header", action="append", default=[], help="a header, as 'Name: value'; may be repeated")
    parser.add_argument("--key-header", default=KEY_HEADER, help=f"the header of the key ({KEY_HEADER})")
    parser.add_argument("--calls", type=int, default=30, help="how many calls a wave has (30)")
    parser.add_argument("--seed", type=int, help="the seed of an earlier race, to make the same choices")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client waits for an answer (30)")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds that the app may go on afterwards (5)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
