"""Storage -> pandas -> figures, tables, verdict."""
