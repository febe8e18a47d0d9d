"""What is told in words: tables and sentences, for the command line and for Python alike.

- ``text``: aligned columns, short numbers, and :class:`~ketasim.reports.text.Table`
- ``contents``: what a model has, in lists, and one mechanism's story, equations and ledger
- ``runs``: one run summed up, and several side by side
- ``doses``: repeated dosing, a row a dose
- ``stores``: how a sweep went, what failed, and one member again
- ``rest``: loops, draws that return, and the course of one dose
- ``explanation``: which steps carry an effect
"""
