"""How an account stands: freezing it, ending that, and closing it."""

from sixpence.core.account.change import Change
from sixpence.core.account.commands import Close, Freeze, Unfreeze
from sixpence.core.account.transaction import Detail
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import AccountClosedError
from sixpence.core.rules.context import Scene
from sixpence.core.rules.grants import voided


def freeze(scene: Scene, command: Freeze | Unfreeze) -> Change | RefusedError:
    """Stop spending and setting aside, or let it go on."""
    account = scene.account
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    return Change(
        kind="freeze" if isinstance(command, Freeze) else "unfreeze",
        at=scene.now,
        detail=Detail(actor=command.actor, reason=command.reason),
        metadata=command.metadata,
    )


def close(scene: Scene, command: Close) -> Change | RefusedError:
    """Void all that nothing has set aside; holds that are open end in their own time, and give nothing back."""
    moves = [move for grant in scene.account.grants for move in voided(grant)]
    return Change(
        kind="close",
        at=scene.now,
        allocations=tuple(moves),
        detail=Detail(actor=command.actor, reason=command.reason),
        metadata=command.metadata,
    )
