"""Errors as values: their data, codes, messages, signatures and tree."""

import inspect
import pickle
import re

import pytest

from sixpence.core import errors, refusals
from sixpence.core.errors import BrokenLedgerError, CreditSystemError, RefusedError
from sixpence.core.refusals import InsufficientCreditsError

_EXAMPLES: list[tuple[CreditSystemError, str]] = [
    (
        InsufficientCreditsError("video", 5, 4, 3),
        "Not enough credits: 'video' costs 5 and 3 can be spent on it. "
        "Top up or change the plan, then send the same request again.",
    ),
    (
        refusals.AccountNotFoundError("ada@example.com"),
        "There is no account 'ada@example.com'. Make it first: initialize_user_credits, or POST /v1/accounts.",
    ),
    (
        refusals.TransactionNotFoundError("ada@example.com", "t-1"),
        "Account 'ada@example.com' has no transaction 't-1'. Take the id from its history.",
    ),
    (
        refusals.UnknownFeatureError("magic", ("sketch", "video")),
        "feature: 'magic' is not in the catalog. It has: sketch, video.",
    ),
    (refusals.UnknownPlanError("gold", ("free", "pro")), "plan: 'gold' is not in the catalog. It has: free, pro."),
    (refusals.BalanceLimitError(7, 5, 10), "amount: 7 on top of 5 passes the limit of 10. Send at most 5."),
    (
        refusals.GrantLimitError(300),
        "The account has 300 live grants, the maximum. Wait until one is spent or expires.",
    ),
    (
        refusals.GrantPeriodError("expires_at", "2026-01-01T00:00:00.000000Z", "has passed. Send a time to come"),
        "expires_at: 2026-01-01T00:00:00.000000Z has passed. Send a time to come.",
    ),
    (
        refusals.IdempotencyConflictError("k1"),
        "Idempotency key 'k1' was used for another request. Send that request again, or use a new key.",
    ),
    (
        refusals.AccountFrozenError("ada@example.com"),
        "Account 'ada@example.com' is frozen: nothing can be spent or set aside. Unfreeze it first.",
    ),
    (refusals.AccountClosedError("ada@example.com"), "Account 'ada@example.com' is closed. Use another account."),
    (
        refusals.UnpricedUsageError("usage.model", "is missing. Send one of: small."),
        "usage.model: is missing. Send one of: small.",
    ),
    (
        refusals.FairUseError("pro", 200, "hour", "2026-01-01T00:00:00.000000Z"),
        "Plan 'pro' allows 200 uses in any hour, and they are used up. Try again at 2026-01-01T00:00:00.000000Z.",
    ),
    (
        refusals.HoldNotFoundError("ada@example.com", "h-1"),
        "Account 'ada@example.com' has no hold 'h-1'. Send the id that was returned when it was placed.",
    ),
    (
        refusals.HoldEndedError("h-1", "expired", "2026-01-01T00:00:00.000000Z"),
        "Hold 'h-1' expired at 2026-01-01T00:00:00.000000Z and its credits went back. "
        "Capture it late, or place another.",
    ),
    (
        refusals.NotRefundableError("t-1", "grant"),
        "Transaction 't-1' is of kind 'grant'. Refund a consume or a capture.",
    ),
    (
        refusals.RefundLimitError("t-1", 5, 3),
        "amount: 5 is more than the 3 left to refund. Send at most 3.",
    ),
    (
        refusals.GrantNotFoundError("ada@example.com", "g-1"),
        "Account 'ada@example.com' has no grant 'g-1'. Take the id from its history.",
    ),
    (refusals.GrantEndedError("g-1"), "Grant 'g-1' was voided before. Nothing is left of it to void."),
    (refusals.AdjustLimitError(-9, 4), "amount: -9 takes more than the 4 available. Send -4 at most."),
    (
        refusals.TrialRefusedError("pro", "has no trial"),
        "trial: plan 'pro' has no trial. Put the account on it without a trial.",
    ),
    (
        refusals.SourceClaimedError("evt_1", "bob@example.com"),
        "source_key: 'evt_1' was used for account 'bob@example.com'. An event grants once.",
    ),
    (errors.InvalidInputError("amount", "0 is too small. Send 1."), "amount: 0 is too small. Send 1."),
    (errors.CatalogError(("a: no.", "b: no.")), "The catalog is not valid:\n  - a: no.\n  - b: no."),
    (
        errors.NotPermittedError(),
        "This API key is unknown or revoked. Make one: sixpence key create.",
    ),
    (
        errors.QueueFullError(),
        "Too many requests are waiting. Nothing was changed; try again in 1 s.",
    ),
    (
        errors.AccountBusyError(2),
        "Another transaction holds the account. Nothing was changed; try again in 2 s.",
    ),
    (
        errors.DatabaseUnavailableError(5),
        "The database is not available. Nothing was changed; try again in 5 s.",
    ),
    (
        errors.OutcomeUnknownError(),
        "The database went away while committing. Send the request again with the same idempotency key.",
    ),
    (
        errors.ServiceClosedError(),
        "The credit service is closed. Nothing was changed; send the request to a running one.",
    ),
    (
        errors.TransactionEndedError(),
        "The transaction has ended, or took too long and was undone. This command changed nothing. "
        "Begin another transaction, and do slow work before or after it.",
    ),
    (errors.DatabaseSetupError("fsync is off.", "Turn it on."), "fsync is off. Turn it on."),
    (
        errors.CheckpointNotFoundError(),
        "There is no checkpoint yet. Make one: sixpence checkpoint.",
    ),
    (
        errors.CheckpointRefusedError("account 'ada@example.com' is gone."),
        "Nothing was signed: account 'ada@example.com' is gone. See: sixpence verify.",
    ),
    (
        errors.InternalError(),
        "Something went wrong on our side. The request had no effect. Send it again, and report it if it repeats.",
    ),
]
_ERRORS = [error for error, _ in _EXAMPLES]


def _tree() -> list[type[CreditSystemError]]:
    return [
        kind
        for place in (errors, refusals)
        for _, kind in inspect.getmembers(place, inspect.isclass)
        if issubclass(kind, CreditSystemError) and kind.__module__ == place.__name__
    ]


def _leaves() -> set[type[CreditSystemError]]:
    return {kind for kind in _tree() if not kind.__subclasses__()}


@pytest.mark.parametrize(("error", "message"), _EXAMPLES, ids=lambda value: getattr(value, "code", None))
def test_error_message_says_what_was_wrong_and_what_to_do(error: CreditSystemError, message: str) -> None:
    """Every leaf has its message, word for word."""
    assert str(error) == message


def test_every_error_has_an_example_message() -> None:
    """No error is added without its message being compared here."""
    assert {type(error) for error in _ERRORS} == _leaves()


def test_every_error_declares_its_own_code_and_title() -> None:
    """Codes are stable names in lower case with hyphens; no two leaves share a code or a title."""
    leaves = _leaves()

    assert len({leaf.code for leaf in leaves}) == len({leaf.title for leaf in leaves}) == len(leaves)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", leaf.code) for leaf in leaves)
    assert all("code" in vars(leaf) and "title" in vars(leaf) for leaf in leaves)


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: error.code)
def test_error_survives_pickling(error: CreditSystemError) -> None:
    """An error from another process is equal, with the same message, data and arguments."""
    copy = pickle.loads(pickle.dumps(error))

    assert copy == error
    assert (type(copy), str(copy), copy.data(), copy.args) == (type(error), str(error), error.data(), error.args)
    assert hash(copy) == hash(error)


def test_error_signature_is_its_fields() -> None:
    """`inspect` shows the declared fields with their types and defaults as the parameters."""
    assert str(inspect.signature(refusals.HoldEndedError)) == (
        "(hold_id: str, state: str, ended_at: str, captured_late: bool = False) -> None"
    )
    assert str(inspect.signature(errors.QueueFullError)) == "(retry_after_seconds: int = 1) -> None"
    assert repr(refusals.GrantEndedError("g-1")) == "GrantEndedError(grant_id='g-1')"


def test_error_message_shows_braces_in_a_value_as_they_are() -> None:
    """A value from a caller is never read as a place for another field."""
    error = refusals.AccountNotFoundError("{account_id}")

    assert str(error).startswith("There is no account '{account_id}'.")
    assert str(errors.InvalidInputError("a{0}", "{problem} {")) == "a{0}: {problem} {"


def test_errors_compare_by_class_and_data() -> None:
    """Two errors are equal when their class and their data are."""
    assert InsufficientCreditsError("video", 5, 4, 3) == InsufficientCreditsError("video", 5, 4, 3)
    assert InsufficientCreditsError("video", 5, 4, 3) != InsufficientCreditsError("video", 5, 4, 2)
    assert refusals.AccountFrozenError("ada@example.com") != refusals.AccountClosedError("ada@example.com")
    assert len(set(_ERRORS)) == len(_ERRORS)


def test_insufficient_credits_data_has_the_shortfall() -> None:
    """The data of missing credits includes how many are missing."""
    error = InsufficientCreditsError("video", 5, 4, 3)

    assert error.data() == {
        "feature": "video",
        "required": 5,
        "remaining": 4,
        "available": 3,
        "shortfall": 2,
        "held": 0,
        "scheduled": 0,
        "next_allowance_at": None,
    }
    assert error.shortfall == 2


def test_error_tree_is_drawn_in_the_docstring() -> None:
    """The drawing in the module's docstring has every error of the tree under its parent, and no other."""
    assert errors.__doc__ is not None
    drawn: list[tuple[str, str]] = []
    path: list[str] = []
    for indent, name in re.findall(r"^    ([ │├└─]*)(\w+Error)\b", errors.__doc__, re.MULTILINE):
        path = [*path[: len(indent) // 4], name]
        drawn += [(path[-2], name)] if len(path) > 1 else []

    assert set(drawn) == {
        (kind.__base__.__name__, kind.__name__) for kind in _tree() if kind.__base__ and kind.__base__ is not Exception
    }


def test_unavailable_errors_are_no_refusals() -> None:
    """A refusal is final for this request; an unavailable error says when to try again."""
    unavailable = [error for error in _ERRORS if isinstance(error, errors.UnavailableError)]

    assert not any(isinstance(error, RefusedError) for error in unavailable)
    assert all(error.retry_after_seconds >= 1 for error in unavailable)


def test_broken_ledger_error_is_outside_the_tree() -> None:
    """No handler of the credit system's errors can swallow a broken invariant."""
    assert not issubclass(BrokenLedgerError, CreditSystemError)
    assert issubclass(BrokenLedgerError, RuntimeError)


_CASES = [
    (refusals.HoldEndedError("h-1", "captured", "2026-01-01T00:00:00.000000Z"), "Hold 'h-1' was captured at"),
    (refusals.HoldEndedError("h-1", "expired", "2026-01-01T00:00:00.000000Z", captured_late=True), "captured late"),
    (refusals.RefundLimitError("t-1", None, 0), "Nothing of transaction 't-1' is left"),
    (refusals.FairUseError("pro", 0, "day", None), "Put the account on another plan"),
    (refusals.BalanceLimitError(1, 10, 10), "1 on top of 10 passes the limit of 10. Nothing more fits."),
    (errors.CheckpointNotFoundError(3), "There is no checkpoint 3."),
]


@pytest.mark.parametrize(("error", "text"), _CASES)
def test_error_message_fits_the_case(error: CreditSystemError, text: str) -> None:
    """Where one error covers several cases, each has its own message."""
    assert text in str(error)
