"""What is known after data: draws from a posterior, and the evidence for a model.

- ``smc``: :func:`sample`, adaptive tempered sequential Monte Carlo
- ``proposal``: where its particles move
- ``walk``: Markov chains from a normal approximation, where a best point is known
- ``kept``: its stages as files, from which a run that was killed goes on
- ``evidence``: replicates with error bars, and bridge sampling as an independent check
"""
