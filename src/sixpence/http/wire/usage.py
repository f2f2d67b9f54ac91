"""The usage of a model's tokens in a body."""

import msgspec

from sixpence.core.catalog.price import Usage


class TokenUsage(msgspec.Struct, forbid_unknown_fields=True):
    """Tokens of a model; cached input counts apart from input."""

    model: str
    input_tokens: int | None = None
    cached_input_tokens: int | None = None
    output_tokens: int | None = None


def usage_in(sent: TokenUsage | None) -> Usage | None:
    """The usage in a body, None when it was left out."""
    if sent is None:
        return None
    return Usage(
        model=sent.model,
        input_tokens=sent.input_tokens,
        cached_input_tokens=sent.cached_input_tokens,
        output_tokens=sent.output_tokens,
    )
