"""Refused connections: each with its remedy, and without a change by the command."""

import sqlite3
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection as django_connection
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from sixpence.core.errors import CreditSystemError, DatabaseSetupError, InvalidInputError
from sixpence.ledger.ledger import Ledger
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.caller_transactions.interfaces import ADA, SHOP, set_django_up
from tests.ledger.databases import ledger_of, migrated_database, raw_engine
from tests.support.postgres import PostgresDatabases


@pytest.fixture
def credits(noted_postgres_url: str) -> Iterator[SyncCreditService]:
    """A service on PostgreSQL with Ada's account; at the end that has only its first row."""
    with SyncCreditService(Ledger(noted_postgres_url, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)
        yield credits
    assert ledger_of(noted_postgres_url, ADA) == [(1, "signup", 6, 6)]


@pytest.fixture
def lending(noted_sqlite_url: str) -> Iterator[SyncCreditService]:
    """The same on SQLite."""
    with SyncCreditService(Ledger(noted_sqlite_url, catalog=SHOP)) as credits:
        credits.initialize_user_credits(ADA)
        yield credits
    assert ledger_of(noted_sqlite_url, ADA) == [(1, "signup", 6, 6)]


@pytest.fixture
def engine(noted_postgres_url: str) -> Engine:
    """The app's engine."""
    return raw_engine(noted_postgres_url)


def problem_of(credits: SyncCreditService, connection: object) -> str:
    """The message for a connection."""
    with pytest.raises(InvalidInputError) as refused:
        credits.consume_credit(ADA, "video", connection=connection)
    assert refused.value.field == "connection"
    return refused.value.problem


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_stricter_isolation_is_refused(credits: SyncCreditService, engine: Engine, level: str) -> None:
    """Only READ COMMITTED sees what the account's last holder committed."""
    with engine.connect().execution_options(isolation_level=level) as connection:
        assert problem_of(credits, connection) == (
            f"is in a transaction at {level}, whose snapshot may be older than the lock on the account. "
            "Begin it at READ COMMITTED."
        )
        assert connection.scalar(text("SELECT 1")) == 1


def test_autocommit_is_refused(credits: SyncCreditService, engine: Engine) -> None:
    """A connection that commits every statement would charge even if the caller's other statements fail."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert problem_of(credits, connection) == (
            "is in no transaction: it commits every statement. Begin one, for instance engine.begin()."
        )


def test_read_only_transaction_is_refused(credits: SyncCreditService, engine: Engine) -> None:
    """It could not write the charge."""
    with engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))

        assert problem_of(credits, connection) == "is in a transaction that only reads. Begin one that may write."


def test_failed_transaction_is_refused(credits: SyncCreditService, engine: Engine) -> None:
    """The message names the failed transaction, and not a fault of the credits."""
    with engine.connect() as connection:
        with pytest.raises(Exception, match="does not exist"):
            connection.execute(text("SELECT * FROM nowhere"))

        assert problem_of(credits, connection) == (
            "is in a transaction that failed before. Roll it back and begin another."
        )


def test_another_database_is_refused(
    credits: SyncCreditService, engine: Engine, postgres_server: PostgresDatabases
) -> None:
    """One that has Sixpence's tables, too, one without them, and another schema of the same database."""
    problem = "leads to another database or schema than the credits. Connect it to the one they are in."

    with migrated_database(postgres_server) as other, raw_engine(other).connect() as connection:
        elsewhere = problem_of(credits, connection)
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL search_path TO pg_catalog"))
        schema = problem_of(credits, connection)

    assert (elsewhere, schema) == (problem, problem)


@pytest.mark.parametrize(
    "table",
    ["credit_accounts", "credit_transactions", "credit_holds", "outbox", "catalog_versions", "auth_api_keys"],
)
def test_table_that_hides_one_of_the_credits_is_refused(credits: SyncCreditService, engine: Engine, table: str) -> None:
    """A temporary table of the same name is found first, and its rows end with the session."""
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table} INCLUDING ALL)"))

        problem = problem_of(credits, connection)

    assert problem == "leads to another database or schema than the credits. Connect it to the one they are in."


def test_role_without_privileges_is_refused_with_the_remedy(
    credits: SyncCreditService, engine: Engine, noted_postgres_url: str
) -> None:
    """The remedy is to grant them; the transaction continues."""
    with engine.connect() as connection:
        connection.execute(text("CREATE ROLE guest"))
        connection.execute(text("SET LOCAL ROLE guest"))

        with pytest.raises(DatabaseSetupError) as refused:
            credits.consume_credit(ADA, "video", connection=connection)

        assert str(refused.value) == (
            "The connection's database role may not use Sixpence's tables. "
            "Grant it SELECT, INSERT, UPDATE and DELETE on them."
        )
        assert connection.scalar(text("SELECT 1")) == 1


def test_unsupported_objects_are_named(credits: SyncCreditService, engine: Engine) -> None:
    """A session, a driver's connection, a closed one: each with what to send instead."""
    remedy = (
        "Send a SQLAlchemy connection that is in a transaction (session.connection() gives a session's), or Django's "
        "connection inside transaction.atomic()."
    )
    closed = engine.connect()
    closed.close()
    with Session(engine) as session, psycopg.connect(_url(engine)) as driver:
        problems = [problem_of(credits, one) for one in (session, driver, closed, "postgresql://")]

    assert problems == [
        "is a session. Send its connection: session.connection(), awaited if it is async.",
        f"is of the class psycopg.Connection. {remedy}",
        f"is closed. {remedy}",
        f"is of the class builtins.str. {remedy}",
    ]


def test_django_outside_a_transaction_is_refused(credits: SyncCreditService, noted_postgres_url: str) -> None:
    """Django commits every statement outside of atomic()."""
    set_django_up(noted_postgres_url)

    assert problem_of(credits, django_connection) == "is in no transaction. Call inside `with transaction.atomic():`."


async def test_services_refuse_connections_of_the_other_kind(noted_postgres_url: str) -> None:
    """One that would block the loop, one that needs a loop, and an async session."""
    url = make_url(noted_postgres_url).set(drivername="postgresql+psycopg")
    blocking, is_async = create_engine(url, poolclass=NullPool), create_async_engine(url, poolclass=NullPool)
    problems: list[str] = []

    async with CreditService(noted_postgres_url) as credits, is_async.begin() as connection:
        with blocking.begin() as sync_connection, SyncCreditService(credits.ledger) as sync_credits:
            problems.append(problem_of(sync_credits, connection))
            for wrong in (sync_connection, AsyncSession(is_async)):
                with pytest.raises(InvalidInputError) as refused:
                    await credits.consume_credit(ADA, "interior", connection=wrong)
                problems.append(refused.value.problem)

    assert problems == [
        "is asynchronous. Use CreditService with it, or SyncCreditService inside its run_sync.",
        "would block the event loop. Use SyncCreditService with it, in a thread, or send an AsyncConnection.",
        "is a session. Send its connection: session.connection(), awaited if it is async.",
    ]


def test_sqlite_connection_that_is_not_borrowed_is_refused(lending: SyncCreditService, noted_sqlite_url: str) -> None:
    """A file has one writer at a time: another connection would wait for the writer, and the writer for it."""
    remedy = "On SQLite the writer lends one: `with credits.transaction() as connection`."
    with raw_engine(noted_sqlite_url).begin() as transaction, sqlite3.connect(":memory:") as driver:
        problems = [problem_of(lending, one) for one in (transaction, driver, django_connection)]

    assert problems == [
        f"is not one that the writer lent. {remedy}",
        f"is of the class sqlite3.Connection, and no connection that the writer lent. {remedy}",
        f"is of the class django.utils.connection.ConnectionProxy, and no connection that the writer lent. {remedy}",
    ]


def test_connection_of_another_ledger_is_refused(lending: SyncCreditService, tmp_path: object) -> None:
    """A connection lent by another file's writer would charge there."""
    remedy = "On SQLite the writer lends one: `with credits.transaction() as connection`."
    with SyncCreditService(f"sqlite:///{tmp_path}/other.db") as other, other.transaction() as connection:
        problem = problem_of(lending, connection)

    assert problem == f"is not one that the writer lent. {remedy}"


def test_postgresql_service_refuses_sqlite_connections(credits: SyncCreditService, lending: SyncCreditService) -> None:
    """And the other way round."""
    with lending.transaction() as connection:
        problem = problem_of(credits, connection)

    assert problem.startswith("leads to sqlite, but the credits are on PostgreSQL. ")


def test_source_key_is_refused_in_a_transaction(credits: SyncCreditService, engine: Engine) -> None:
    """A claim is a transaction of its own and would outlive the caller's."""
    with engine.begin() as connection, pytest.raises(CreditSystemError) as refused:
        credits.grant_credits(ADA, 5, source_key="invoice 7", connection=connection)

    assert refused.value == InvalidInputError(
        "source_key", "cannot be claimed inside another transaction. Send an idempotency_key there."
    )


def _url(engine: Engine) -> str:
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
