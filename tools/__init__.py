"""What the Makefile and the checks need, and no user of Sixpence does."""
