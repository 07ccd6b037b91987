"""TOML -> validated definition."""
