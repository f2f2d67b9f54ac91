"""Giving and taking back: grants, refunds, voids and corrections by hand."""

from dataclasses import replace

from sixpence.core.account.commands import Adjust, GrantCredits, Refund, VoidGrant
from sixpence.core.catalog.catalog import Catalog
from tests.core.reference.calendars import DAY
from tests.core.reference.memory import OVERDRAFT, Gift, Memory
from tests.core.reference.prices import LARGEST
from tests.core.reference.uses import Refused

_MOST_LIVE = 300


def grant(memory: Memory, command: GrantCredits, now: int, catalog: Catalog) -> Refused | None:
    """Give credits, now or later."""
    from_at = now if command.effective_at is None else command.effective_at
    until_at = command.expires_at
    if command.features is not None and not set(command.features) <= set(catalog.features):
        return Refused("unknown-feature")
    if until_at is not None and not max(now, from_at) < until_at:
        return Refused("grant-period")
    gift = Gift("", command.amount, command.category, from_at, until_at, command.priority, command.features)
    return _give(memory, gift, now, "grant")


def adjust(memory: Memory, command: Adjust, now: int) -> Refused | None:
    """Correct the balance by hand."""
    if command.amount > 0:
        return _give(memory, Gift("", command.amount, "admin", now, None), now, "adjust")
    could = sum(memory.free(gift.name) for gift in memory.in_effect())
    if -command.amount > could:
        return Refused("adjust-limit", {"available": could})
    taking = -command.amount
    for gift in memory.in_effect():
        part = min(taking, memory.free(gift.name))
        if part:
            memory.move(gift.name, "adjusted", -part)
            taking -= part
    memory.write("adjust", now)
    return None


def refund(memory: Memory, command: Refund, now: int, catalog: Catalog) -> Refused | None:
    """Give back what a transaction consumed, in reverse order, to where it came from."""
    number = int(command.transaction_id) if command.transaction_id.isdigit() else 0
    if not 1 <= number <= len(memory.rows):
        return Refused("transaction-not-found")
    row = memory.rows[number - 1]
    if row.kind not in ("consume", "capture"):
        return Refused("not-refundable", {"kind": row.kind})
    before = sum(amount for refunded, amount in memory.refunds if refunded == number)
    left = (row.consumed or 0) - before
    amount = left if command.amount is None else command.amount
    if amount > left or not left:
        return Refused("refund-limit", {"left": left})
    parts = [(gift, -part) for gift, word, part in row.moves if word in ("consumed", "captured")]
    skips, gives = before, amount
    for gift, part in reversed(parts):
        skipped = min(skips, part)
        given = min(gives, part - skipped)
        skips, gives = skips - skipped, gives - given
        if given:
            used_then = memory.used() - amount
            _give_back(memory, gift, given, now, now + catalog.grace_days * DAY, used_then)
    _merge_refunds(memory)
    memory.refunds.append((number, amount))
    memory.write("refund", now, feature=row.feature, refunded=amount)
    return None


def void(memory: Memory, command: VoidGrant, now: int, catalog: Catalog) -> Refused | None:
    """Cancel what nothing holds of a gift, and take back what was spent as far as an overdraft allows.

    Nothing is charged for an allowance, nor on a closed account; what was not charged is the shortfall.
    """
    name = command.grant_id
    if name not in memory.gifts:
        return Refused("grant-not-found")
    gift = memory.gifts[name]
    if memory.was_cancelled(gift):
        return Refused("grant-ended")
    spent, shortfall = spent_of(memory, gift), 0
    gift.voided_by_name = True
    _cancel(memory, gift)
    for other in [other for other in memory.alive() if other.instead_of == name]:
        _cancel(memory, other)
    if command.revoke_spent:
        # Nobody owes more than was used and not refunded: a debt that this gift paid may have been refunded since.
        charged = 0 if gift.by_plan is not None or memory.standing == "closed" else spent
        debt = min(charged, memory.overdraft_free(catalog), memory.used() - memory.owed())
        shortfall = spent - debt
        if debt:
            memory.move(OVERDRAFT, "charged_back", -debt)
    memory.write("void", now, shortfall=shortfall or None)
    return None


def void_everything(memory: Memory, now: int) -> None:
    """Cancel what nothing holds of every gift, because the account is closed."""
    for gift in memory.alive():
        _cancel(memory, gift)
    memory.write("close", now)


def spent_of(memory: Memory, gift: Gift) -> int:
    """What was spent of a gift, by uses and for debts, and did not come back.

    Credits that came back as another gift were not spent of this one, but what was spent of that other gift was, unless
    that one was voided on its own and so is settled.
    """
    replacements = memory.replacements(gift.name)
    elsewhere = sum(other.amount for other in replacements)
    of_those = sum(_used_up(memory, other) for other in replacements if not other.voided_by_name)
    return max(0, _used_up(memory, gift) - elsewhere + of_those)


def _cancel(memory: Memory, gift: Gift) -> None:
    if memory.left(gift.name) and not memory.voided(gift.name):
        memory.move(gift.name, "unscheduled" if memory.pending(gift.name) else "voided", -memory.free(gift.name))


def _used_up(memory: Memory, gift: Gift) -> int:
    """What uses took of a gift, for themselves or for a debt, and what did not come back to it."""
    (birth, _), *later = memory.moves[gift.name]
    used = -sum(amount for word, amount in later if word in ("consumed", "captured", "repaid", "refunded"))
    # A gift that a refund made has what it was made with in parts.
    return used + (gift.amount - memory.moves[gift.name][0][1] if birth == "refunded" else 0)


def _give(memory: Memory, gift: Gift, now: int, kind: str) -> Refused | None:
    later = sum(memory.left(name) for name in memory.gifts if memory.pending(name))
    if memory.total() + later + gift.amount > LARGEST:
        return Refused("balance-limit")
    if len(memory.alive()) >= _MOST_LIVE:
        return Refused("grant-limit")
    memory.give(replace(gift, name=memory.next_name()), "scheduled" if gift.from_at > now else "granted")
    memory.write(kind, now)
    return None


def _give_back(memory: Memory, name: str, amount: int, now: int, grace_until_at: int, used_then: int) -> None:
    gift = memory.gifts.get(name)
    if gift is None or memory.was_cancelled(gift):
        settles = min(amount, memory.owed())
        if settles:
            memory.move(OVERDRAFT, "refunded", settles)
        amount -= settles
        if amount and gift is not None:
            memory.move(name, "withheld", amount)
            return
        gift = Gift(OVERDRAFT, 0, "refund", now, now)
    elif gift.features is not None and memory.owed() > used_then:
        # Nobody owes more than was used, and these credits do not pay what is owed by themselves.
        settles = min(amount, memory.owed() - used_then)
        memory.move(OVERDRAFT, "refunded", settles)
        amount -= settles
    if not amount or gift.name == OVERDRAFT:
        pass
    elif not memory.over(name) and not gift.plan_over and (gift.until_at is None or now < gift.until_at):
        memory.move(name, "refunded", amount)
        memory.arrivals.append((name, amount))
        return
    if amount:
        root = None if gift.name == OVERDRAFT else gift.instead_of or gift.name
        _give_grace(memory, replace(gift, instead_of=root), amount, now, grace_until_at)


def _merge_refunds(memory: Memory) -> None:
    """Record once for each gift what comes back to it, and last what is withheld."""
    back = {gift: 0 for gift, word, _ in memory.unwritten if word == "refunded"}
    for gift, word, amount in memory.unwritten:
        back[gift] = back.get(gift, 0) + (amount if word == "refunded" else 0)
    withheld = [move for move in memory.unwritten if move[1] == "withheld"]
    memory.unwritten = [(gift, "refunded", amount) for gift, amount in back.items() if amount] + withheld


def _give_grace(memory: Memory, gift: Gift, amount: int, now: int, until_at: int) -> None:
    terms = Gift("", amount, gift.category, now, until_at, gift.priority, gift.features, instead_of=gift.instead_of)
    number = str(len(memory.rows) + 1)
    for other in [other for name, other in memory.gifts.items() if name.partition(".")[0] == number]:
        if replace(other, name="", amount=amount) == terms:
            other.amount += amount
            memory.move(other.name, "refunded", amount)
            memory.arrivals.append((other.name, amount))
            return
    memory.give(replace(terms, name=memory.next_name()), "refunded")
