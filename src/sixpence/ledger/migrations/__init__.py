"""The schema's migrations: `versions` is the source; `sqlite` has its rendered SQL, for installs without Alembic."""
