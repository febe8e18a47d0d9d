"""What parts of the packaged models are called in print, where their own names would not do."""

TITLES = {
    "accumbens": "nucleus accumbens", "ampa": "AMPA receptors", "astro": "astrocytes",
    "bdnf": "BDNF", "disposition": "kinetics", "drivers": "gain", "ensemble": "cell ensembles",
    "immune": "immune system", "mu": "mu receptors", "nmda": "NMDA receptors",
    "pk_r": "(R)-ketamine", "pk_s": "(S)-ketamine", "trkb": "TrkB",
}  # fmt: skip


def titled(part: str) -> str:
    """Return what a mechanism is called within a sentence; its name, where that will do."""
    return TITLES.get(part, part.replace("_", " "))
