"""``python -m ketasim``: the command line, where no script is installed."""

from ketasim.cli import main

if __name__ == "__main__":
    main()
