"""Schedules of lrsearch in other people's training loops: each file knows one framework, and imports it when used."""
