"""The command line: each command one small file, loaded when it is called."""

from ketasim.cli.main import main

__all__ = ["main"]
