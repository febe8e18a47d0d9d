"""What a run leaves behind: labelled datasets, tables, folders.

- ``schema``: the shape of every result, and the columns of one with many members
- ``summary``: a time course in seven numbers
- ``failures``: which members failed, how, and what they have in common
- ``folder``: one run's files, and what made them
- ``output``: files for the user, all new or none
- ``store``: a sweep on disk, filled and read; ``making``: a new one
- ``manifest``: what a store says about its making, sealed
- ``files``: a store's files, each bound to its place
- ``claims``: who computes which chunk, in leases
- ``shelf``: what a long study has finished so far
- ``problems``: what can go wrong with a store
"""
