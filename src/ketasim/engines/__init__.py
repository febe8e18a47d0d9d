"""Engines: plain arrays in, plain arrays out.

- ``contract``: what every engine agrees on
- ``status``: how a run ended, and the sentence for it
- ``run``: the one door, with its rule for retries and its judge of a finished run
- ``balance``: whether what was given is all there
- ``reference``: SciPy on the laws themselves; ``panels``: a course between its steps
- ``steady``: the fixed point of one member
- ``ensemble``: many members in compiled code
- ``kernels``: a model's compiled kernels; ``rodas5p``: their method
- ``inputs``: what a kernel is told; ``batch``: members handed to it
- ``gradient``: derivatives of numbers by all that goes into a run; ``looks``: where a number looks
  at its run; ``seeds``: steps that were kept, and what is read within them; ``kinks``: where
  laws bend
- ``portable``: a model's programs as WebAssembly, for a page that runs them itself
- ``ivp``: the ensemble engine for any small system; ``solve``: the same as a public function
"""
