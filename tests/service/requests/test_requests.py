"""What a request's fingerprint covers: what the caller sent, so that later releases find the keys of earlier ones."""

from typing import Any

import pytest

from sixpence.core.values.metadata import fingerprint
from sixpence.ledger.writer.batch import Request
from sixpence.service.requests import holds, requests

ADA = "ada@example.com"
_NOTHING: dict[str, Any] = {"metadata": None, "key": "k"}
_NO_USAGE: dict[str, Any] = {"units": None, "usage": None, "generation_id": None}
_NOBODY: dict[str, Any] = {"reason": None, "actor": None}
_AS_USUAL: dict[str, Any] = {"category": None, "priority": None, "effective_at": None, "expires_at": None}


@pytest.mark.parametrize(
    ("asked", "operation", "sent"),
    [
        (requests.ensure(ADA, label=None, **_NOTHING), "ensure", {}),
        (requests.consume(ADA, "video", **_NO_USAGE, **_NOTHING), "consume", {"feature": "video"}),
        (
            requests.grant(ADA, 5, **_AS_USUAL, features=None, source_key=None, **_NOBODY, **_NOTHING),
            "grant",
            {"amount": 5},
        ),
        (requests.refund(ADA, "t", amount=None, **_NOBODY, **_NOTHING), "refund", {"transaction_id": "t"}),
        (requests.void_grant(ADA, "g", revoke_spent=False, **_NOBODY, **_NOTHING), "void_grant", {"grant_id": "g"}),
        (
            requests.adjust(ADA, -5, reason="a mistake", actor="olga", **_NOTHING),
            "adjust",
            {"amount": -5, "reason": "a mistake", "actor": "olga"},
        ),
        (
            holds.place(ADA, "video", amount=None, ttl_seconds=None, **_NO_USAGE, **_NOTHING),
            "place_hold",
            {"feature": "video"},
        ),
        (holds.extend(ADA, "h", ttl_seconds=None, **_NOTHING), "extend_hold", {"hold_id": "h"}),
        (
            holds.capture(ADA, "h", amount=None, mode=None, late=False, **_NO_USAGE, **_NOTHING),
            "capture_hold",
            {"hold_id": "h"},
        ),
        (holds.release(ADA, "h", reason=None, **_NOTHING), "release_hold", {"hold_id": "h"}),
    ],
)
def test_a_fingerprint_covers_what_was_sent(asked: Request, operation: str, sent: dict[str, Any]) -> None:
    """What was left out is not in it, neither as nothing nor as its default: so is what a later release adds."""
    assert asked.key is not None
    assert asked.key.fingerprint == fingerprint(operation, ADA, sent)
