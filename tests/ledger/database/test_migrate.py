"""Migrations: the rendered SQL, the migrated schema, and upgrading once, twice and concurrently."""

import multiprocessing
import sqlite3
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, DefaultClause, inspect

from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.database import migrate
from sixpence.ledger.database.tables import STORAGE, ByteText, metadata
from sixpence.ledger.sqlite.file import connect
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import raw_engine, rows, run, upgrade

RENDERED = Path(migrate.__file__).parents[1] / "migrations" / "sqlite"


def test_stored_sql_is_what_alembic_renders() -> None:
    """The SQL that a base install applies equals that of the migrations, step by step, and no step is missing."""
    kept = {path.stem: path.read_text() for path in RENDERED.glob("*.sql")}

    assert kept == migrate.render_sqlite()
    assert sorted(kept) == migrate.steps()


def test_migrated_database_has_the_tables(url: str) -> None:
    """Tables, columns, types and indexes: Alembic finds no difference."""
    _migrate(url)

    with raw_engine(url).connect() as connection:
        options = {"compare_type": True, "include_object": _is_no_view}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert differences == []


def test_migrated_database_has_the_checks(url: str) -> None:
    """Every bound of an amount is a check of the database, too."""
    _migrate(url)

    inspector = inspect(raw_engine(url))

    for table in metadata.sorted_tables:
        found = {check["name"]: _condition(check["sqltext"]) for check in inspector.get_check_constraints(table.name)}
        defined = {
            str(check.name): _condition(str(check.sqltext))
            for check in table.constraints
            if isinstance(check, CheckConstraint)
        }
        assert found == defined, table.name


def test_migrated_database_has_the_defaults(url: str) -> None:
    """An empty row has the tables' defaults, except for assigned numbers."""
    _migrate(url)

    inspector = inspect(raw_engine(url))

    for table in metadata.sorted_tables:
        columns = [column for column in table.columns if column.identity is None]
        found = {column["name"]: _bare(column["default"]) for column in inspector.get_columns(table.name)}
        defined = {
            column.name: column.server_default.arg if isinstance(column.server_default, DefaultClause) else None
            for column in columns
        }
        assert {name: found[name] for name in defined} == defined, table.name


def test_postgresql_has_the_storage_parameters(migrated_postgres_url: str) -> None:
    """Fill factors and autovacuum settings are those of the tables; without any, the server's defaults."""
    query = """
        SELECT c.relname, split_part(o, '=', 1), split_part(o, '=', 2) FROM pg_class AS c, unnest(c.reloptions) AS o
        WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2
    """
    defined = [
        (table.name, name, value)
        for table in metadata.sorted_tables
        for name, value in sorted(table.info.get(STORAGE, {}).items())
    ]

    assert rows(migrated_postgres_url, query) == sorted(defined)
    assert ("credit_accounts", "fillfactor", "50") in defined


def test_text_compares_by_bytes_on_postgresql(migrated_postgres_url: str) -> None:
    """Ids, keys and names have the collation C, for any collation of the database."""
    query = """
        SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND collation_name = 'C' AND table_name <> 'credit_grants'
    """
    defined = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.type is ByteText
    }

    assert {name for (name,) in rows(migrated_postgres_url, query)} == defined
    assert "credit_transactions.idempotency_key" in defined


def test_upgrading_again_changes_nothing(postgres_url: str) -> None:
    """A second upgrade has no step to apply."""
    upgrade(postgres_url)
    before = _tables(postgres_url)

    upgrade(postgres_url)

    assert _tables(postgres_url) == before
    assert rows(postgres_url, "SELECT version_num FROM sixpence_schema") == [(migrate.steps()[-1],)]


def test_opening_a_file_again_changes_nothing(sqlite_url: str) -> None:
    """A file at the newest schema keeps it, statement by statement."""
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    _migrate(sqlite_url)
    before = rows(sqlite_url, query)

    _migrate(sqlite_url)

    assert rows(sqlite_url, query) == before


def test_two_processes_upgrade_at_once(postgres_url: str) -> None:
    """Both succeed, and each step is applied once."""
    start = multiprocessing.get_context("spawn")
    barrier = start.Barrier(2)
    processes = [start.Process(target=_upgrade_at_once, args=(postgres_url, barrier)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0]
    assert rows(postgres_url, "SELECT version_num FROM sixpence_schema") == [(migrate.steps()[-1],)]
    with SyncCreditService(postgres_url) as service:
        assert service.initialize_user_credits("ada@example.com").created


def test_failed_step_is_rolled_back(sqlite_url: str) -> None:
    """A file that already has a table of that name is refused, and keeps exactly what it had."""
    path = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE sixpence_schema (version_num TEXT)")
    ours = connect(path)

    with pytest.raises(DatabaseSetupError) as refused:
        migrate.upgrade_sqlite(ours)
    ours.close()

    assert refused.value.problem.startswith(f"The SQLite file '{path}' cannot be brought to step 0001: table ")
    assert rows(sqlite_url, "SELECT name FROM sqlite_master") == [("sixpence_schema",)]


def test_missing_table_is_named(sqlite_url: str) -> None:
    """A file at the newest schema without one of its tables is refused by the table's name."""
    _migrate(sqlite_url)
    run(sqlite_url, "DROP TABLE credit_holds")

    with pytest.raises(DatabaseSetupError) as refused:
        _migrate(sqlite_url)

    assert refused.value == DatabaseSetupError(
        "The database says that its schema is at step 0004, and lacks credit_holds.", "Restore a copy of it."
    )


def _migrate(url: str) -> None:
    with SyncCreditService(url) as service:
        service.get_catalog()


def _upgrade_at_once(url: str, barrier: Barrier) -> None:
    barrier.wait(30)
    upgrade(url)


def _tables(url: str) -> list[tuple[object, ...]]:
    query = """
        SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY 1, 2
    """
    return rows(url, query)


def _is_no_view(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    return not (kind == "table" and name in ("credit_grants", "sixpence_schema"))


def _bare(default: str | None) -> str | None:
    """A default without the databases' casts and quotes."""
    return None if default is None else default.split("::")[0].strip("'")


def _condition(text: str) -> str:
    """A check in one spelling: PostgreSQL expands BETWEEN, with casts and brackets."""
    plain = text.replace("(", "").replace(")", "").replace("'", "").replace("::bigint", "")
    words = plain.split()
    if "BETWEEN" in words:
        name, _, least, _, most = words
        return f"{name} >= {least} AND {name} <= {most}"
    return " ".join(words)
