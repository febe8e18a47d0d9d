"""The nouns: what a mechanism, a model, a protocol and a scenario are.

- ``declare``: the words a mechanism is written in
- ``evidence``: where a number comes from
- ``bounds``: what a parameter's bounds rest on, and how far it could lie
- ``maths``: the functions a law may use
- ``model``: mechanisms put together
- ``module``: mechanisms added to a model, and what they change in it
- ``laws``: laws in order, replaced; numbers and names refused; ``code``: what a law computes
- ``shared``: what follows from mechanisms alone, found out once
- ``system``: a model as a function from states to derivatives
- ``protocol``: what is done, event by event
- ``schedule``: a protocol as segments with constant inputs
- ``scenario``: who, what is done, and when to look
- ``describe``: what models and scenarios say of themselves, and the panels of a figure
"""
