"""Virtual patients: how people differ, what they score, and a cohort that shows what trials saw.

- ``people``: traits with their sources; ``reading``: from mood to a score on a form
- ``published``: what a trial saw; ``settings``: what its visits bring, from the control arm alone
- ``crew``: patients with their mood in every arm
- ``weighing``: weights of maximum entropy; ``choosing``: so many patients by them, or by acceptance
- ``cohort``: the cohort and how far it was bent; ``predict``: trials that it never saw
"""
