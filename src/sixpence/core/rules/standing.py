"""How an account stands: freezing it, ending that, and closing it."""

from sixpence.core.commands import Close, Freeze, Unfreeze
from sixpence.core.errors import RefusedError
from sixpence.core.fold import Change
from sixpence.core.refusals import AccountClosedError
from sixpence.core.rules.grants import voided
from sixpence.core.rules.scene import Scene
from sixpence.core.transaction import Detail


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
