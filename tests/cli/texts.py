"""Texts that several tests of the configuration use."""

SINGLE_IV = """\
schema = 1
[model]
name = "antidepressant"
[[dosing]]
drug = "ketamine"
amount = "0.5 mg/kg"
route = "iv"
duration = "40 min"
at = "0 h"
[output]
until = "7 d"
"""


def changed(old: str, new: str, text: str = SINGLE_IV) -> str:
    """Return the text with one passage replaced, which must be there."""
    assert old in text
    return text.replace(old, new)
