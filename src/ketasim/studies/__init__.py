"""One run, and the questions that take many.

- ``simulate``: one run; ``sweep``: one scenario for every member of a design
- ``designs``: which values each member gets
- ``findings``: what somebody observed, predicted; ``judge``: hypotheses weighed by it
- ``fit``: parameters fitted to data and findings; ``posterior``: what data leave of the priors
- ``patients``: a cohort of virtual patients that shows what trials showed; ``trial``: of them
- ``gradients``: derivatives of read-outs; ``screening``: of every member of a design
- ``sensitivity``: which inputs matter, from a sweep; ``indices``: the estimators
- ``mediation``: what carries an effect, found by ``cuts`` of the model
- ``rest``: feedback loops and their gains; ``returns``: draws left alone and dosed; ``course``:
  fast then slow
- ``published``: how far the model is from published points, and from those that draws never saw
- ``laws``: one law changed; ``hill``: a curve through a dose response
- ``cautions``: what a result says of itself
"""
