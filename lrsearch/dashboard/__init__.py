"""optuna-dashboard, served so that only those who may come in do, and what is published into it."""
