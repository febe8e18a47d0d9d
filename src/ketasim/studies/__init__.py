"""The verbs: simulate, sweep, and what is built on them."""
