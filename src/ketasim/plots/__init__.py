"""Pictures: matplotlib is imported here and nowhere else.

- ``timecourse``: one run, from drug to mood
- ``overlay``: runs over one another
- ``sweeps``: many members, as response, map or fan
- ``judgement``: accounts by findings
- ``evidence``: predictions over published points
- ``pathway``: which steps carry an effect
- ``panels``: what is shown together, and the marks of what was done
- ``layout``: panels on paper, their axes and curves
- ``style``: sizes, colours, and files that are the same every time
"""
