"""The reference: a second account of the rules, to measure the first one by. It begins in account.py."""

from tests.core.reference.account import Reference
from tests.core.reference.memory import OVERDRAFT, Row
from tests.core.reference.spending import Refused

__all__ = ["OVERDRAFT", "Reference", "Refused", "Row"]
