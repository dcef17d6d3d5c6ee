"""SQL: tables, migrations, the flush transaction."""
