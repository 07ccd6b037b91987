"""What a person can ask for, once, under both doors: the command line and Python."""
