"""What `import lrsearch` offers to scripts and notebooks."""
