"""Pictures: matplotlib is imported here and nowhere else.

- ``timecourse``: one run, from drug to mood
- ``overlay``: runs over one another
- ``sweeps``: many members, as response or map; ``fan``: their courses
- ``judgement``: accounts by findings; ``certainty``: how sure that is
- ``designs``: what would tell accounts apart
- ``fits``: data, starts and profiles of a fit; ``sensitivity``: what matters
- ``evidence``: predictions over published points
- ``pathway``: which steps carry an effect
- ``patients`` and ``forest``: virtual patients; ``virtual_trial``: a trial of them
- ``schedules``: a schedule beside the usual one, and the front of two wishes
- ``panels``: what is shown together, and the marks of what was done
- ``grid``: panels of one size, each beneath its title
- ``layout``: panels on paper, their axes and curves
- ``words``: names as a reader would say them
- ``style``: sizes, colours, and files that are the same every time
"""
