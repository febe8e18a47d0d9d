"""Better schedules: doses, gaps, durations and routes chosen for a cohort, within limits.

- ``plan``: what of a schedule is free, and the visits that numbers stand for
- ``goals``: what is wanted and what is limited, and how a cohort becomes one number
- ``cohort``: patients, and draws of a posterior for each
- ``runs``: schedules x patients as one batch, and the values of every goal
- ``slopes``: how these move with every dose and time
- ``kept``: values once computed, in a file, so that a search goes on where it was stopped
- ``search``: gradients from many starts; ``front``: two wishes against each other
- ``answer``: what came out
"""
