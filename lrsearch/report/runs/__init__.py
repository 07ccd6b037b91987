"""Runs from anywhere: their files, their columns, and what they show in words."""
