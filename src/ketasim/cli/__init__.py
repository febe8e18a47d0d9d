"""The command line: thin commands in small files, each loaded when it is called."""

from ketasim.cli.main import main

__all__ = ["main"]
