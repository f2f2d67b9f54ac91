"""Sketches, as a plain WSGI app. The bug: it charges before the work, and a sketch that fails stays charged.

`sketches_fixed.py` refunds it.
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from sixpence import InsufficientCreditsError, SyncCreditService

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def make_app(credits: SyncCreditService) -> App:
    """The app over these credits."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, answer = sketch(credits, environ)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    return app


def sketch(credits: SyncCreditService, environ: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The endpoint: the status and the body of its answer."""
    user, key = environ["HTTP_X_USER"], environ["HTTP_IDEMPOTENCY_KEY"]
    try:
        of = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["of"]
    except ValueError:
        return "400 Bad Request", {"error": "the request body is incomplete"}
    try:
        paid = credits.consume_credit(user, "sketch", idempotency_key=key)
    except InsufficientCreditsError:
        return "402 Payment Required", {"error": "no credits left"}
    if paid.replayed:
        return "409 Conflict", {"error": "this key was used before: take a new one"}
    try:
        return "200 OK", {"sketch": draw(of)}
    except ValueError as failure:
        return "502 Bad Gateway", {"error": str(failure)}


def draw(of: str) -> str:
    """The model, which takes its time and cannot draw everything."""
    time.sleep(0.02)
    if of == "the unseen":
        raise ValueError("the model cannot draw this")
    return f"a sketch of {of}"
