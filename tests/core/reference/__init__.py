"""The reference: a second implementation of the rules, to compare with the first. Its door is `account`."""

from tests.core.reference.account import Reference
from tests.core.reference.memory import OVERDRAFT, Row
from tests.core.reference.uses import Refused

__all__ = ["OVERDRAFT", "Reference", "Refused", "Row"]
