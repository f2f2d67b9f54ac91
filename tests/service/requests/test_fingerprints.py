"""Fingerprints of requests: test vectors for every operation, with the fewest and with all arguments.

A fingerprint covers what the caller sent, so keys of earlier releases still match. A vector must never change.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from sixpence.core.catalog.price import Usage
from sixpence.core.errors import RefusedError
from sixpence.core.values.metadata import fingerprint
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.service.credits import CreditService

ADA = "ada@example.com"
METADATA = {"order": 7, "tags": ["a", "é"], "rate": 1.5}
USAGE = Usage(model="large", input_tokens=1_000, cached_input_tokens=10, output_tokens=200)
LATER = {"effective_at": datetime(2100, 1, 1, tzinfo=UTC), "expires_at": datetime(2101, 2, 3, 4, 5, 6, 789, tzinfo=UTC)}
BY = {"reason": "a mistake", "actor": "olga@example.com", "metadata": METADATA}

# The method, its arguments, the operation's name and what was sent beside the account's id.
FEWEST: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    ("initialize_user_credits", (), {}, "ensure", {}),
    ("consume_credit", ("video",), {}, "consume", {"feature": "video"}),
    ("grant_credits", (5,), {}, "grant", {"amount": 5}),
    ("refund", ("t",), {}, "refund", {"transaction_id": "t"}),
    ("void_grant", ("g",), {}, "void_grant", {"grant_id": "g"}),
    (
        "adjust",
        (-5,),
        {"reason": "a mistake", "actor": "olga"},
        "adjust",
        {"amount": -5, "reason": "a mistake", "actor": "olga"},
    ),
    ("place_hold", ("video",), {}, "place_hold", {"feature": "video"}),
    ("extend_hold", ("h",), {}, "extend_hold", {"hold_id": "h"}),
    ("capture_hold", ("h",), {}, "capture_hold", {"hold_id": "h"}),
    ("release_hold", ("h",), {}, "release_hold", {"hold_id": "h"}),
    ("update_subscription_status", ("pro",), {}, "change_plan", {"plan": "pro"}),
    ("cancel_subscription", (), {}, "cancel_plan", {}),
    ("freeze_account", (), {}, "freeze", {}),
    ("unfreeze_account", (), {}, "unfreeze", {}),
    ("close_account", (), {}, "close", {}),
]
VECTORS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("initialize_user_credits", (), {}, "332aaa0522f4c01d83a4936eeec5174cf904110e08124df614b0dc727630cb64"),
    (
        "initialize_user_credits",
        (),
        {"label": "Ada", "metadata": METADATA},
        "f14514d7b91b60c73ed29770908dc62ce4d69ac5d5006853b4ba37dc9c6458b6",
    ),
    ("consume_credit", ("video",), {}, "aceb498a5a0319d11f184fc4cd6e1440c723a9150fc74de263e6df445dfed432"),
    (
        "consume_credit",
        ("video",),
        {"units": 3, "generation_id": "gen-1", "metadata": METADATA},
        "600ef61bbdfe319c652b4754980417578c4e67f3fc928e18a4817ea8081dfdcb",
    ),
    (
        "consume_credit",
        ("video",),
        {"usage": USAGE, "generation_id": "gen-1", "metadata": METADATA},
        "19317691de7d6786e5f5fb227b496d0cdfa56a29a4d2c41b2c15f4dcd923c948",
    ),
    ("grant_credits", (5,), {}, "94ba83b0c2e717bb41f64c8da163402bc9828e61895cfe5387b8bbc4e760c259"),
    (
        "grant_credits",
        (5,),
        {"category": "paid", "priority": 7, **LATER, "features": ["video", "sketch", "video"], **BY},
        "a7b645bffb8fc15998c6786b9cda63bce618136f289d6a503a279dd7cdef4d21",
    ),
    (
        "grant_credits",
        (5,),
        {"source_key": "payment-1"},
        "94ba83b0c2e717bb41f64c8da163402bc9828e61895cfe5387b8bbc4e760c259",
    ),
    (
        "grant_credits",
        (5,),
        {
            "category": "paid",
            "priority": 7,
            **LATER,
            "features": ("video", "sketch"),
            **BY,
            "source_key": "payment-1",
        },
        "bf6cb5145d16346d3d298f7283f046c3812b5c87bed6d41333c940e7665e4208",
    ),
    ("refund", ("t",), {}, "d328f25f9165d1945dd91b8fa8bf6cdfa063f85beb0b6eac34fe71b3d1f3d94e"),
    ("refund", ("t",), {"amount": 2, **BY}, "e52ebf2348628d216971e6d63b168a9e0efd04865c482a94e480f5b661a26f2e"),
    ("void_grant", ("g",), {}, "5d4a742eddf7d8c52dd772da3fd7410c0bf89a38a367f4b7bde0caa2a8d38914"),
    (
        "void_grant",
        ("g",),
        {"revoke_spent": True, **BY},
        "11e835381097cc1c03fd07b336da8f1c86800ba1ae96324efdc5a0dc9cba8365",
    ),
    (
        "adjust",
        (-5,),
        {"reason": "a mistake", "actor": "olga"},
        "638fea69aabb1deeb640d14889f7a8028e266329b741cef6bc26ac528d159f9a",
    ),
    ("adjust", (5,), BY, "8c51b7a03131b278a01f00f6cbc6b6229331071deca99dd6ce0adea5b97bea66"),
    ("place_hold", ("video",), {}, "3a063df26e9cc37f1b8b1920f6626a819d053d1b37c22f3dd8c637b7d1216ae7"),
    (
        "place_hold",
        ("video",),
        {"units": 3, "ttl_seconds": 60, "generation_id": "gen-1", "metadata": METADATA},
        "a8335b087480a054a94054194b9ef3231b761eb7caaf980eb2deef2a60c20245",
    ),
    (
        "place_hold",
        ("video",),
        {"usage": USAGE, "ttl_seconds": 600, "generation_id": "gen-1", "metadata": METADATA},
        "2c9704d1d384477360dccfeb2b1a99b61e8192c001638623cf3c8b7cb8085666",
    ),
    (
        "place_hold",
        ("video",),
        {"amount": 4, "ttl_seconds": 60, "generation_id": "gen-1"},
        "55dc5995e0e2d564cf866d5f5bdec264051b484d4dbca66180cbe85eb460d119",
    ),
    ("extend_hold", ("h",), {}, "b21a72d0529137f3d94d4cf3f0c30589bce1484b64a2a6df15346a5d1156cbb1"),
    (
        "extend_hold",
        ("h",),
        {"ttl_seconds": 60, "metadata": METADATA},
        "e800696e847d049b7cb698e7b4c3dfed38bc2e13a09ec0d174dbcd6974747cff",
    ),
    ("capture_hold", ("h",), {}, "6276324104b263f9f10338c80181c4e44cd03119318747df0d9a1d0269221197"),
    (
        "capture_hold",
        ("h",),
        {"units": 3, "mode": "exact", "late": True, "generation_id": "gen-1", "metadata": METADATA},
        "33aea8c1bfb7b91834bff697c37654255f6f556a6eadd6cc124c17919c16c526",
    ),
    (
        "capture_hold",
        ("h",),
        {"usage": USAGE, "mode": "up_to_available", "late": True, "generation_id": "gen-1", "metadata": METADATA},
        "e4caac6127cbe9c44e5e40edcac40b889aec0a091b03cdb311c8c35d8951696f",
    ),
    ("capture_hold", ("h",), {"amount": 0}, "dcb9637d1f18ea85d2a7f9a84a14a5f1b2e2eeaeb0bb6052353461c704793162"),
    ("release_hold", ("h",), {}, "e66a3cfd39cfae50f21371083665aeb85558a979bdce94e64f4c636f0be8e37c"),
    (
        "release_hold",
        ("h",),
        {"reason": "the work failed", "metadata": METADATA},
        "d7224d2d89962fa91a39532c9ca0ee40ead394039c77498000f3d09739a3e2fe",
    ),
    ("update_subscription_status", ("pro",), {}, "25690c36914f23fc648888df56ec991c00e11a875a52b727f73ea255ef75aaa8"),
    (
        "update_subscription_status",
        ("pro",),
        {"trial": True, **BY},
        "9ab4b653d766972885c46cc4faf130b86d03a254029a704a8a7fc782ea71f9d8",
    ),
    ("cancel_subscription", (), {}, "626206e8f9f42a66275261140b64a5d7bee5374c292d7d3fc7316c23ea7e7c18"),
    ("cancel_subscription", (), BY, "2992010458e60b6ce06f6138a896b8d776470e4eab6170bde2468f4505808f02"),
    ("freeze_account", (), {}, "bd8423be1fc2172023c04bfc7086b96d47e0452f2469e433a16631b450af4274"),
    ("freeze_account", (), BY, "61a377efb638f10151977be8b02cc1ef9207483bbea11abf543688b85addc0b2"),
    ("unfreeze_account", (), {}, "3a1e0a75d4130a0d73fe189dc995b7b5bd2fb2db3babd43d72a619a11f894dae"),
    ("unfreeze_account", (), BY, "c37f3052d27293d4cf7e22ff45cbb0d9243bffb5dcea3c08245d217b0f5a3a73"),
    ("close_account", (), {}, "631acbbe9f48b4dd7cd8db169bd62f15e9840862b14ec34b618db82eeb24d6d7"),
    ("close_account", (), BY, "577410f5fc7bfbcfec80184a8efb5243bd126c73ba24e224203ff67e4deea17b"),
]


class RecordingService(CreditService):
    """A service in memory that records the requests it runs."""

    def __init__(self) -> None:
        super().__init__(Memory())
        self.requests: list[Request] = []

    async def _submit(self, request: Request, connection: object | None = None) -> Accepted:
        self.requests.append(request)
        return await super()._submit(request, connection)


@pytest.mark.parametrize(("method", "arguments", "named", "expected"), VECTORS)
async def test_fingerprint_vector(
    method: str, arguments: tuple[Any, ...], named: dict[str, Any], expected: str
) -> None:
    """Each operation has the fingerprint that earlier releases stored."""
    assert await fingerprint_of(method, arguments, named) == expected


@pytest.mark.parametrize(("method", "arguments", "named", "operation", "sent"), FEWEST)
async def test_fingerprint_covers_only_sent_fields(
    method: str, arguments: tuple[Any, ...], named: dict[str, Any], operation: str, sent: dict[str, Any]
) -> None:
    """A field that was not sent is not covered, neither as null nor as its default, so new fields can be added."""
    assert await fingerprint_of(method, arguments, named) == fingerprint(operation, ADA, sent).hex()


async def fingerprint_of(method: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    """Returns the fingerprint of a call with an idempotency key, or with its source key; the rules may refuse it."""
    key = {} if "source_key" in named else {"idempotency_key": "k"}
    async with RecordingService() as credits:
        await credits.initialize_user_credits(ADA)
        with suppress(RefusedError):
            await getattr(credits, method)(ADA, *arguments, **named, **key)
    sent_key = credits.requests[-1].key
    assert sent_key is not None
    return sent_key.fingerprint.hex()
