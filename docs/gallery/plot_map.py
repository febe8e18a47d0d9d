"""
A read-out over two values
==========================

Dose against the load of stress: how high spines come.
"""

import ketasim as ks

both = ks.designs.grid(
    {
        "dosing[0].amount": ks.designs.logspace("0.1 mg/kg", "2 mg/kg", 12),
        "intervention[0].level": ks.designs.linspace("0.2", "1", 9),
    }
)
found = ks.sweep("human_depressed_iv", both, summaries="spines.peak", tell=print)
figure = ks.plot.map(found)
