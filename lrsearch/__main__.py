"""`python -m lrsearch`."""

from lrsearch.cli.app import main

main()
