"""`python -m sixpence.cli` is `sixpence`."""

from sixpence.cli import main

if __name__ == "__main__":
    main()
