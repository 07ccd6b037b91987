"""Processes that train: on this machine and on others."""
