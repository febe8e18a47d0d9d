"""The entry point: finds the command, and turns every failure into a sentence and an exit code."""

import errno
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import TypeGuard

import click

import ketasim
from ketasim.cli.lean import collect_seldom
from ketasim.errors import KetasimError, suggest

COMMANDS = {  # what a line asks for, and the function that answers it
    "run": "run.command",
    "demo": "run.demo",
    "app": "app.command",
    "sweep": "sweep.command",
    "submit": "cluster.submit",
    "sensitivity": "sweep.sensitivity",
    "compare": "compare.command",
    "list": "inspect.list_",
    "describe": "inspect.describe",
    "export": "export.command",
    "check": "check.command",
    "curves": "fit.curves",
    "experiments": "experiments.command",
    "judge": "judge.command",
    "data": "fit.data",
    "fit": "fit.command",
    "posterior": "fit.posterior",
    "explain": "explain.command",
    "gradient": "gradient.command",
    "optimise": "optimise.command",
    "doctor": "doctor.command",
    "status": "stores.status",
    "resume": "stores.resume",
    "failures": "stores.failures",
    "rerun": "stores.rerun",
    "population": "population.command",
    "trial": "trial.command",
    "plot": "plot.command",
}
FAULT, NO_ROOM, STOPPED = 1, 4, 130
NEEDED = 1.5e9  # bytes of addresses that compiled code, its compiler and NumPy are mapped to
ALONE = ("run", "demo", "compare", "list", "describe", "export", "explain", "status", "failures")
NEEDED_ALONE = 0.7e9  # by commands that compile nothing
_ALLOWED = " Give it more: ulimit -v unlimited, or a larger memory for the job."


class Lazy(click.Group):
    """A group whose commands are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands, in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Return a command by name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name].partition(".")
        found = getattr(import_module(f"ketasim.cli.{module}"), function)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command a line asks for, with a suggestion when there is none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = suggest(args[0], COMMANDS) or f" Commands here: {', '.join(COMMANDS)}."
            raise click.UsageError(f'"{args[0]}": no such command.{hint}', ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ketasim.__version__, prog_name="ketasim")
@click.option("--debug", is_flag=True, expose_value=False, help="Show where an error came from.")
def group() -> None:
    """From a dose of ketamine to receptors, signals, synapses and mood.

    Start with: ketasim demo
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and exit: 0 done, 1 a fault of ketasim, 2 a mistake, 130 stopped."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    words = [word for word in given if word != "--debug"]
    if len(words) == len(given):
        warnings.filterwarnings("ignore", module="scipy")  # its complaints end up in ours
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)  # what was begun is taken back, as after Ctrl-C
    try:
        _check_memory(words)
        alone = arguments is None  # then the process is the command's
        if alone:
            collect_seldom()
        sys.exit(group.main(words, prog_name="ketasim", standalone_mode=False, obj=alone))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped.", err=True)
        sys.exit(STOPPED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; there is nobody to tell
        sys.exit(0)
    except MemoryError:
        click.echo(f"there is not enough memory for this.{_ALLOWED}", err=True)
        sys.exit(2)
    except Exception as error:
        if len(words) < len(given):
            raise
        click.echo(_sentence(error), err=True)
        sys.exit(_code(error))


def _check_memory(words: Sequence[str]) -> None:
    """Refuse to begin where libraries would crash, or try for ever, for want of memory."""
    command = next((word for word in words if word in COMMANDS), "")
    try:
        import resource
    except ImportError:
        return  # no such limit there
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    needed = NEEDED_ALONE if command in ALONE else NEEDED
    if command and 0 <= allowed < needed and allowed != resource.RLIM_INFINITY:
        raise KetasimError(
            f"this process may use {allowed / 1e9:.2g} GB of addresses (ulimit -v); ketasim "
            f"{command} needs {needed / 1e9:.2g} GB.{_ALLOWED}"
        )


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _is_of_a_file(error: BaseException) -> TypeGuard[OSError]:
    """Say whether the system refused a file by name, which is nobody's fault here."""
    return isinstance(error, OSError) and bool(error.filename and error.strerror)


def _code(error: Exception) -> int:
    if isinstance(error, KetasimError):
        return error.exit_code
    if _is_of_a_file(error):
        return NO_ROOM if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else 2
    return FAULT


def _sentence(error: Exception) -> str:
    if isinstance(error, KetasimError):
        from ketasim.cli.modules import hint

        return str(error) + hint(str(error))
    if _is_of_a_file(error):
        return f"{str(error.filename)[:200]}: cannot be read or written ({error.strerror})."
    return (
        f"ketasim stopped because of a fault of its own ({type(error).__name__}: {error}). "
        "Please report it on the project's issue page, with the command and the file you used; "
        "--debug shows where it happened."
    )
