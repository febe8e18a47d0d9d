"""One run, and the questions that take many.

- ``simulate``: one run; ``sweep``: one scenario for every member of a design
- ``designs``: which values each member gets
- ``findings``: what somebody observed, predicted; ``judge``: hypotheses weighed by it
- ``posterior``: what is known after data, and the evidence for a model
- ``mediation``: what carries an effect, found by ``cuts`` of the model
- ``laws``: one law changed; ``hill``: a curve through a dose response
- ``cautions``: what a result says of itself
"""
