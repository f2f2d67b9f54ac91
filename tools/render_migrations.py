"""Write the SQL that the migrations render to for SQLite, so that a base install needs no Alembic to apply them."""

from pathlib import Path

from sixpence.ledger.database import migrate

FOLDER = Path("src/sixpence/ledger/migrations/sqlite")

for step, script in migrate.render_sqlite().items():
    (FOLDER / f"{step}.sql").write_text(script)
    print(f"{FOLDER / step}.sql")
