"""The schema: what Alembic renders, what a migrated database has, and upgrading once, twice and at once."""

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
from sixpence.ledger.database.tables import STORAGE, Words, metadata
from sixpence.ledger.sqlite.store import connect
from sixpence.service.blocking import SyncCreditService
from tests.ledger.databases import raw_engine, rows, run, upgrade

RENDERED = Path(migrate.__file__).parents[1] / "migrations" / "sqlite"


def test_the_rendered_steps_are_what_alembic_renders_now() -> None:
    """The SQL that a base install applies is that of the migrations, step by step, and no step is missing."""
    kept = {path.stem: path.read_text() for path in RENDERED.glob("*.sql")}

    assert kept == migrate.render_sqlite()
    assert sorted(kept) == migrate.steps()


def test_a_migrated_database_has_the_tables_of_the_schema(url: str) -> None:
    """Tables, columns, types and indexes: Alembic finds no difference."""
    _migrate(url)

    with raw_engine(url).connect() as connection:
        options = {"compare_type": True, "include_object": _is_no_view}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert differences == []


def test_a_migrated_database_has_the_checks_of_the_schema(url: str) -> None:
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


def test_a_migrated_database_has_the_defaults_of_the_schema(url: str) -> None:
    """A row that is made empty starts with what the schema says; numbers that come by themselves aside."""
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


def test_postgresql_keeps_each_table_as_the_schema_says(migrated_postgres_url: str) -> None:
    """Room on its pages and when it is cleaned are what the schema says; where it says nothing, the server does."""
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


def test_words_compare_by_bytes_on_postgresql(migrated_postgres_url: str) -> None:
    """Ids, keys and names have the collation C, whatever the database's own is."""
    query = """
        SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND collation_name = 'C' AND table_name <> 'credit_grants'
    """
    defined = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if column.type is Words
    }

    assert {name for (name,) in rows(migrated_postgres_url, query)} == defined
    assert "credit_transactions.idempotency_key" in defined


def test_upgrading_again_changes_nothing(postgres_url: str) -> None:
    """A second upgrade finds nothing to do."""
    upgrade(postgres_url)
    before = _tables(postgres_url)

    upgrade(postgres_url)

    assert _tables(postgres_url) == before
    assert rows(postgres_url, "SELECT version_num FROM sixpence_schema") == [(migrate.steps()[-1],)]


def test_opening_a_file_again_changes_nothing(sqlite_url: str) -> None:
    """A file that has the schema keeps it, statement by statement."""
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    _migrate(sqlite_url)
    before = rows(sqlite_url, query)

    _migrate(sqlite_url)

    assert rows(sqlite_url, query) == before


def test_two_processes_upgrade_at_once(postgres_url: str) -> None:
    """Both succeed, and the steps were applied once."""
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


def test_a_step_that_fails_leaves_nothing_behind(sqlite_url: str) -> None:
    """A file in which a table of that name is there already is refused, and keeps what it had and nothing else."""
    path = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE sixpence_schema (version_num TEXT)")
    ours = connect(path)

    with pytest.raises(DatabaseSetupError) as refused:
        migrate.upgrade_sqlite(ours)
    ours.close()

    assert refused.value.problem.startswith(f"The SQLite file '{path}' cannot be brought to step 0001: table ")
    assert rows(sqlite_url, "SELECT name FROM sqlite_master") == [("sixpence_schema",)]


def test_a_table_that_is_gone_is_named(sqlite_url: str) -> None:
    """A file that says it has the schema, and has not all of it, is refused with what is missing."""
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
    """A default without what the databases write around it."""
    return None if default is None else default.split("::")[0].strip("'")


def _condition(text: str) -> str:
    """A check as both databases write it: PostgreSQL spells BETWEEN out, with casts and brackets."""
    plain = text.replace("(", "").replace(")", "").replace("'", "").replace("::bigint", "")
    words = plain.split()
    if "BETWEEN" in words:
        name, _, least, _, most = words
        return f"{name} >= {least} AND {name} <= {most}"
    return " ".join(words)
