"""``ketasim doctor``: what is installed, on what machine, and whether a short run works."""

import os

import click


@click.command(short_help="Print versions and try a short run.")
def command() -> None:
    """Print versions, processor and engine, and try a short run."""
    from ketasim.cli.text import columns
    from ketasim.config import load
    from ketasim.results.provenance import machine, source_state, versions
    from ketasim.studies.simulate import simulate

    about = machine()
    rows = [[name, text] for name, text in versions().items()]
    rows += [["system", about["system"]], ["processor", about["processor"]]]
    rows += [["features", " ".join(about["features"]) or "-"], ["cores", str(os.cpu_count())]]
    state = source_state()
    if state is not None:
        rows.append(["source", state["commit"][:12] + (" (changed)" if state["changed"] else "")])
    setup = load("human_healthy_iv", sets=["output.until=1 d"])
    run = simulate(setup.scenario).attrs
    rows.append(
        ["engine", f"reference (SciPy {run['method']}): a day in {run['wall_s']:.2f} s, ok"]
    )
    click.echo(columns(rows))
