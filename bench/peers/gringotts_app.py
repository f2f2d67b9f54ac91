"""gringotts-api: the app of its README, with charges that cost one credit; its database is in DATABASE_URL.

`uvicorn bench.peers.gringotts_app:app` serves it; `python -m bench.peers.gringotts_app CUSTOMERS` makes its tables and
customers with credits and prints their API keys, a line each.
"""

import sys
from typing import Annotated

import gringotts  # type: ignore[import-not-found]
from fastapi import Depends, FastAPI
from gringotts import CreditPack, GringottsConfig, auth, charge, cli

from bench.peers.loop import CREDITS

app = FastAPI()
gringotts.init_app(
    app,
    GringottsConfig(
        packs=[CreditPack(credits=100, price_cents=500, name="Starter")],
        idempotency_replay_validator=lambda _scope: True,
    ),
)


@app.post("/predict")
def predict(_user: Annotated[gringotts.CreditedUser, Depends(charge(1))]) -> dict[str, str]:
    """Charge a credit for nothing, so that only the charge is measured."""
    return {"result": "..."}


def main() -> None:
    """Its tables by its own command, then the customers."""
    cli.main(["init-db"])
    session = gringotts.SessionLocal()
    for number in range(1, int(sys.argv[1]) + 1):
        _, key = auth.create_user_with_key(session, f"user_{number}", CREDITS)
        print(key)
    session.close()


if __name__ == "__main__":
    main()
