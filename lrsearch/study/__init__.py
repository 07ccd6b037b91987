"""One stored study: open it, count it, confirm it, repeat its trials."""
