"""The schema's history. `versions` is the source; `sqlite` is what it renders to for a base install without Alembic."""
