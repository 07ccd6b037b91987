"""Ask, train, report, tell: the search over settings."""
