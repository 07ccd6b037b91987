"""Optuna's RDB storage, opened the way several processes need it."""
