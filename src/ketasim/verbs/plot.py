"""Every picture under the name of what it shows; each returns a matplotlib Figure.

Those of populations, trials, schedules and fits come with the result: ``found.figures``. Each can
be drawn for a column (85 mm) or a page (178 mm): ``style=ks.plot.width("85mm")``.

>>> import ketasim as ks
>>> figure = ks.plot.timecourse(ks.run("human_depressed_iv"), panels=["spines", "score"])

- ``timecourse(run, path, panels=...)``: a run from drug to mood, or several over one another
- ``compare({label: dataset}, path)``: runs over one another
- ``response(dataset, name)``: dose and response of a sweep, with a Hill curve
- ``map(dataset, name)``: a read-out over two varied values
- ``fan(dataset, name)``: quantiles, or with ``kind="spaghetti"`` single members, over time
- ``judgement(judgement, path)``: hypotheses by findings
- ``judgement_pages(judgement, path)``: the same for print, on as many pages as it takes
- ``certainty(judgement)``, ``predictions(judgement)``: how sure that is, what each foretells
- ``designs(ks.decide(judgement))``: which experiments would tell hypotheses apart
- ``evidence(panels, path)``: predictions over published points
- ``tornado(indices)`` and ``heat_map(indices)``: which inputs matter to which read-outs
- ``gradient(dataset)``: by how much each name moves a read-out
- ``pathway(explanation, order, path)``: which steps carry an effect
- ``waterfall(found)``, ``profiles(found, problem, level)``: starts and profiles of a fit
- ``width("85mm")``: the style of a printed width, for ``style=``
- ``save(figure, path)``: PNG, SVG or PDF, with the numbers drawn beside it
"""

from ketasim.plots.certainty import draw_evidence as certainty
from ketasim.plots.certainty import draw_predictions as predictions
from ketasim.plots.designs import draw_designs as designs
from ketasim.plots.evidence import draw as evidence
from ketasim.plots.fan import draw_fan as fan
from ketasim.plots.fits import profiles, waterfall
from ketasim.plots.judgement import draw as judgement
from ketasim.plots.judgement import pages as judgement_pages
from ketasim.plots.overlay import draw as compare
from ketasim.plots.pathway import draw as pathway
from ketasim.plots.sensitivity import draw_gradient as gradient
from ketasim.plots.sensitivity import draw_heat_map as heat_map
from ketasim.plots.sensitivity import draw_tornado as tornado
from ketasim.plots.style import save
from ketasim.plots.style import style_of_width as width
from ketasim.plots.sweeps import draw_map as map  # noqa: A004  (what a user would call it)
from ketasim.plots.sweeps import draw_response as response
from ketasim.verbs.figures import timecourse

__all__ = [
    "certainty",
    "compare",
    "designs",
    "evidence",
    "fan",
    "gradient",
    "heat_map",
    "judgement",
    "judgement_pages",
    "map",
    "pathway",
    "predictions",
    "profiles",
    "response",
    "save",
    "timecourse",
    "tornado",
    "waterfall",
    "width",
]
