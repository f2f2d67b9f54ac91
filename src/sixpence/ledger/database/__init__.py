"""The tables and their rows, engines, migrations, catalogs and source claims."""
