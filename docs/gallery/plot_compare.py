"""
With and without an AMPA antagonist
===================================

Two runs over one another: NBQX half an hour before the dose takes the effect away.
"""

import ketasim as ks

both = [ks.run(name) for name in ("mouse_ip_after_stress", "ketamine_nbqx")]
figure = ks.plot.timecourse(both, panels=["glutamate", "bdnf", "spines", "function"])
