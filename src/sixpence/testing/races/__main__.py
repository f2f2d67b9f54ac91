"""`python -m sixpence.testing.races`: a race against an app in any language, judged by the `sixpence serve` it uses.

python -m sixpence.testing.races http://localhost:3000/api/generate --account user_1 --ledger http://localhost:8000
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sixpence.testing.races.client.address import address_from_url
from sixpence.testing.races.client.calls import KEY_HEADER, Call, KeyedCall
from sixpence.testing.races.errors import RaceError
from sixpence.testing.races.ledgers.served_ledger import ServedLedger
from sixpence.testing.races.running.race import race

_KEY_VARIABLE = "SIXPENCE_KEY"
# The exit status that shells give a program stopped by Ctrl-C.
_INTERRUPTED = 130
_EXAMPLE = '{"prompt": "a room"}'
_DESCRIPTION = """Send parallel, repeated and interrupted calls to an app's endpoint, and judge the app by its ledger.

A single call must succeed, and spend or grant credits of the account, the same amount each time. In the bodies, {KEY}
is replaced by the key of each use or event. The race sets the account's balance for each wave and restores it at the
end: use a test account."""
_EPILOG = f"""The API key of the ledger is read from {_KEY_VARIABLE}. Exit status 0: no findings; 1: findings, or the
race could not be run; 2: the command was not understood; 130: it was interrupted.

A webhook:  python -m sixpence.testing.races http://localhost:3000/api/paid --account user_1 \\
              --ledger http://localhost:8000 --json '{{"id": "{{KEY}}", "customer": "user_1", "credits": 50}}'"""


def main() -> int:
    """Run the race of the command line, and return the exit status."""
    arguments = _parser().parse_args()
    api_key = os.environ.get(_KEY_VARIABLE, "").strip()
    if not api_key:
        return _refused(f"{_KEY_VARIABLE} is not set. Set it to an API key of the ledger: sixpence key create.")
    url: SplitResult = arguments.url
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        report = asyncio.run(
            race(
                f"{url.scheme}://{url.netloc}",
                _call(arguments, path, arguments.json),
                failing=None if arguments.failing is None else _call(arguments, path, arguments.failing),
                other=None if arguments.other is None else _call(arguments, path, arguments.other),
                ledger=ServedLedger(arguments.ledger, api_key=api_key),
                account_id=arguments.account,
                calls=arguments.calls,
                seed=arguments.seed,
                timeout_seconds=arguments.timeout,
                grace_seconds=arguments.grace,
            )
        )
    except RaceError as error:
        return _refused("\n".join((str(error), *getattr(error, "__notes__", ()))))
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was judged. Check that the account has its balance from before.\n")
        return _INTERRUPTED
    sys.stdout.write(f"{report}\n")
    return 0 if report.clean else 1


def _call(arguments: argparse.Namespace, path: str, body: str | None) -> KeyedCall:
    headers = dict(_header(each) for each in arguments.header)
    if body is not None:
        _parse_json(body)

    def call(key: str) -> Call:
        document = None if body is None else _parse_json(body.replace("{KEY}", key))
        return Call(arguments.method, path, json=document, headers={**headers, arguments.key_header: key})

    return call


def _url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        address_from_url(f"{url.scheme}://{url.netloc}")
    except (ValueError, RaceError):
        example = "http://localhost:3000/api/generate"
        raise argparse.ArgumentTypeError(
            f"{text!r} is not the URL of an endpoint. Give one such as {example}."
        ) from None
    return url


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        # The text is not printed: it may be a key.
        raise RaceError("A --header has no name. Write it as 'Name: value'.")
    return name.strip(), value.strip()


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RaceError(f"{text!r} is not JSON: {error}. Give one such as {_EXAMPLE}, quoted for the shell.") from None


def _refused(problem: str) -> int:
    sys.stderr.write(f"{problem}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sixpence.testing.races",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", type=_url, help="the endpoint, with scheme and path")
    parser.add_argument("--account", required=True, help="the account that the calls charge or grant to")
    parser.add_argument("--ledger", required=True, help="the URL of `sixpence serve`")
    parser.add_argument("--method", default="POST", help="the method (POST)")
    parser.add_argument("--json", help="the body of a call")
    parser.add_argument("--failing", metavar="JSON", help="the body of a call whose work fails")
    parser.add_argument("--other", metavar="JSON", help="the body of another request, sent under a used key")
    parser.add_argument("--header", action="append", default=[], help="a header, as 'Name: value'; may be repeated")
    parser.add_argument("--key-header", default=KEY_HEADER, help=f"the header of the key ({KEY_HEADER})")
    parser.add_argument("--calls", type=int, default=30, help="the number of calls in a wave (30)")
    parser.add_argument("--seed", type=int, help="the seed of an earlier race, to make the same choices")
    parser.add_argument(
        "--timeout", type=float, default=30.0, help="how many seconds a client waits for an answer (30)"
    )
    parser.add_argument("--grace", type=float, default=5.0, help="how many seconds the app may continue afterwards (5)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
