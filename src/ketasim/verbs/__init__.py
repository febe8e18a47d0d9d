"""Everything that can be asked, composed once: the command line and Python call the same function.

- ``setups``: a configuration's name, a file, a Setup or a Scenario, made into a Setup
- ``run``: one scenario, its summary, figure and folder
- ``compare``: several scenarios side by side
- ``sweep``: one scenario for many values, and what that will take
- ``stores``: how far a stored sweep is, going on with it, its failures, one member again
- ``evidence``: the published record, and which steps carry an effect
- ``inspect``: what the model has, a mechanism in words, and this machine
- ``plot``: every picture
"""
