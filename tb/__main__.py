"""`python -m tb` is `tb`."""

from tb.cli import main

main()
