"""Folds at the reference dose: what a blot says, turned into the ceiling and the slope of a law.

A stage is told by the fold it reaches when the reference dose has driven the stage before it to
that one's own fold. How far it could go at most (``headroom`` times that) is a second statement.
From the two follow the ceiling and the steepness of ``core.maths.fold``. A steepness always exists
(a ceiling may not), so every draw of published folds is a model that acts.

A level that follows its drive at a pace ``k`` has not arrived when a pulse (``circuit.pulse``) ends, and a stage that is
called for only in part answers with that part: ``called`` says how much more must be called for.
"""

from ketasim.core.maths import exp, log


def called(reached, k, share, pulse):
    """Fold that must be called for, so that a level of pace k reaches a fold within the pulse."""
    return 1 + (reached - 1) / (share * (1 - exp(-k * pulse)))


def ceiling(called, headroom):
    """Greatest fold that can be called for."""
    return 1 + headroom * (called - 1)


def steepness(called, ceiling, upstream):
    """Steepness at which the fold upstream calls for the fold that is asked of a stage."""
    return log(called * (ceiling - 1) / (ceiling - called)) / log(upstream)
