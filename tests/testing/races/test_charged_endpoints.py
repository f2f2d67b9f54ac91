"""Races of `charged` endpoints, Sixpence's own integration: repeated, interrupted and failing calls."""

import asyncio
from typing import Any

import httpx
import pytest

from sixpence.integrations.starlette import CreditIntegration
from sixpence.testing.races import Call, race
from sixpence.wiring import Sixpence
from tests.http.installation import SITE
from tests.integrations.charging_apps import APPS
from tests.integrations.conftest import parts

pytestmark = pytest.mark.slow

__all__ = ["parts"]


@pytest.mark.parametrize("framework", ["starlette", "fastapi"])
@pytest.mark.parametrize("path", ["/draw", "/plain"])
async def test_race_of_charged_endpoint_is_clean(
    parts: tuple[Sixpence, str, httpx.Cookies, str], framework: str, path: str
) -> None:
    """Coroutine or not: nobody is served unpaid, no failure costs credits, and no hold stays open."""
    wired, _, cookies, account_id = parts
    integration = CreditIntegration(wired.credits, wired.callers, upgrade_url="https://app.example.com/buy")
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    signed_in = {"Cookie": cookie, "Origin": SITE}

    def other(key: str) -> Call:
        return Call("POST", f"{path}?outcome=201", headers={**signed_in, "Idempotency-Key": key})

    report = await race(
        delay_answers(APPS[framework](integration, [])),
        Call("POST", f"{path}?outcome=200", headers=signed_in),
        failing=Call("POST", f"{path}?outcome=503", headers=signed_in),
        other=other,
        ledger=wired.credits,
        account_id=account_id,
        calls=12,
        seed=1,
    )

    report.check()
    assert len(report.waves) == 6


def delay_answers(app: Any) -> Any:
    """The app behind a middleware that delays each answer, so that clients have time to hang up."""

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        async def later(message: Any) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(0.02)
            await send(message)

        await app(scope, receive, later)

    return behind
