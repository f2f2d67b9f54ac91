"""The relay under its first name: it lives in `sixpence.ledger.relay`."""

from sixpence.ledger.relay.relay import Relay

__all__ = ["Relay"]
