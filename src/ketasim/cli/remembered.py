"""A store's own question, read back from what it says about itself."""

import json
import re
from pathlib import Path
from typing import Any

from ketasim.cli.sweeping import Ready
from ketasim.config import loads
from ketasim.engines.limits import METHODS, Limits
from ketasim.readouts import split_list
from ketasim.results.problems import StoreError
from ketasim.results.store import Store
from ketasim.studies.designs.design import Design


def ready_again(path: Path, threads: int) -> tuple[Ready, Store]:
    """Return what a store was ordered with.

    Raises
    ------
    StoreError
        When it is no store, or was made by a Python script, which then is the way to go on.
    """
    store = Store(path)
    attributes = store.dataset().attrs
    text = attributes.get("scenario")
    if not isinstance(text, str):
        raise StoreError(
            f"{path}: made from Python, so its question is not in it. Run the same script again."
        )
    setup = loads(text, source=f"{path.name}: scenario")
    identity = store.manifest.identity
    ready = Ready(
        scenario=setup.scenario,
        design=stored_design(store),
        store=path,
        threads=threads,
        keep={
            "summaries": split_list(identity["summaries"]),
            "record": split_list(identity["record"]),
        },
        how=_how(identity, store.manifest.chunk),
        attributes={name: attributes[name] for name in ("scenario", "config")},
    )
    return ready, store


def stored_design(store: Store) -> Design:
    """Return a store's design as it was given, to the last bit."""
    manifest = store.manifest
    return Design(
        names=manifest.names,
        units=manifest.units,
        size=manifest.members,
        source=store,
        description=json.loads(manifest.identity["design"]),
        limits=(None,) * len(manifest.names),
    )


def _how(identity: Any, chunk: int) -> dict[str, Any]:
    ran = identity["method"]
    steps, seconds = re.findall(r"\d[\d.e+-]*", identity["limits"])
    return {
        "engine": identity["engine"],
        "method": ran if ran in METHODS else METHODS[0],
        "rtol": float(identity["rtol"]),
        "chunk": chunk,
        "limits": Limits(int(steps), float(seconds)),
        "allow_looser": identity["allow_looser"] == "True",
    }
