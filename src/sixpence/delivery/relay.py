"""An alias: the relay is in `sixpence.ledger.relay`."""

from sixpence.ledger.relay.relay import Relay

__all__ = ["Relay"]
