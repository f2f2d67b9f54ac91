"""Alembic's environment: a migration runs in one transaction, and on PostgreSQL in one process at a time."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

from sixpence.ledger.database.migrate import VERSION_TABLE
from sixpence.ledger.database.tables import metadata

# An arbitrary number, which must stay the same in every version of Sixpence.
MIGRATION_LOCK = 6_000_000_006


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.run_migrations()


if context.is_offline_mode():
    context.configure(
        dialect_name="sqlite", target_metadata=metadata, version_table=VERSION_TABLE, transactional_ddl=False
    )
    context.run_migrations()
else:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.connect() as connection:
        _run(connection)
    engine.dispose()
