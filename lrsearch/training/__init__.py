"""How trials are trained. Nothing here knows Optuna."""
