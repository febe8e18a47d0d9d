"""A model's laws traced, differentiated and written as vector code.

- ``trace``: a law called with symbols becomes a graph
- ``wiring``: a model's equations as one graph, their derivatives, and the elimination
- ``specialise``: products joined to sums, what cannot move left out, nodes as short programs
- ``arithmetic``: a Rosenbrock method as data, and the programs of a step
- ``emit``: programs as vector instructions; ``elementary``: exp, log and power among them;
  ``target``: the processor they are for
- ``lower``: functions as instructions; ``expressions``: what they compute; ``kinds``: of what
- ``machine``: a kernel's text as machine code, and as a function
- ``interface``: what a compiled kernel is called with
- ``scan``, ``show``, ``watch``, ``stepper``: text that every kernel holds
- ``writer``: the text of a kernel
- ``pullback``: the rules of differentiation, and graphs run backwards
- ``backward``, ``backstep``: a kernel that takes derivatives back through steps, and its text
- ``kernel``: what is in a kernel, and its name
- ``cache``, ``entry``: kernels kept on disk, read only when sound and one's own
- ``former``: what earlier versions kept there
"""
