"""SQLAlchemy's sessions and `run_sync` over a caller's transaction, as the documentation shows them."""

from typing import Any

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, SHOP, notes
from tests.ledger.databases import ledger_of


class Base(DeclarativeBase):
    """The app's tables."""


class Note(Base):
    """A row of the app."""

    __tablename__ = "notes"
    text: Mapped[str] = mapped_column(primary_key=True)


def test_session_over_the_borrowed_connection(noted_sqlite_url: str) -> None:
    """Its commit commits the charge, too; its rollback rolls both back."""
    with SyncCreditService(Ledger(noted_sqlite_url, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)
        for end in ("commit", "rollback"):
            with credits.transaction() as connection, Session(bind=connection) as session:
                session.add(Note(text=end))
                session.flush()
                credits.consume_credit(ADA, "sketch", connection=session.connection())
                getattr(session, end)()
                if end == "rollback":
                    connection.rollback()

    assert (notes(noted_sqlite_url), ledger_of(noted_sqlite_url, ADA)[1:]) == (["commit"], [(2, "consume", -1, 5)])


async def test_async_session_over_the_borrowed_connection(noted_sqlite_url: str) -> None:
    """The same on an event loop."""
    async with CreditService(Ledger(noted_sqlite_url, catalog=SHOP)) as credits:
        await credits.initialize_user_credits(ADA)
        async with credits.transaction() as connection, AsyncSession(bind=connection) as session:
            session.add(Note(text="mine"))
            await session.flush()
            await credits.consume_credit(ADA, "sketch", connection=await session.connection())
            await session.commit()

    assert (notes(noted_sqlite_url), ledger_of(noted_sqlite_url, ADA)[1:]) == (["mine"], [(2, "consume", -1, 5)])


async def test_async_session_of_the_app(noted_postgres_url: str) -> None:
    """A session over an app's engine passes its connection."""
    engine = create_async_engine(make_url(noted_postgres_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with CreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits, AsyncSession(engine) as session:
        await credits.initialize_user_credits(ADA)
        session.add(Note(text="mine"))
        await credits.consume_credit(ADA, "sketch", connection=await session.connection())
        await session.commit()

    assert (notes(noted_postgres_url), ledger_of(noted_postgres_url, ADA)[1:]) == (["mine"], [(2, "consume", -1, 5)])


async def test_blocking_code_inside_run_sync(noted_postgres_url: str) -> None:
    """Blocking code charges by `SyncCreditService` on the connection that `run_sync` passes."""
    engine = create_async_engine(make_url(noted_postgres_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    with SyncCreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)

        def work(connection: Any) -> int:
            return credits.consume_credit(ADA, "sketch", connection=connection).remaining

        async with engine.begin() as transaction:
            remaining = await transaction.run_sync(work)

    assert (remaining, ledger_of(noted_postgres_url, ADA)[1:]) == (5, [(2, "consume", -1, 5)])
