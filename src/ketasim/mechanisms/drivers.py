"""Which account of ketamine's action is switched on, and how far.

Each rival account is a gain between 0 and 1 at the place where it enters. With all of them at 0
the drug is in the brain and on its receptors, and nothing downstream can tell. The default is the
indirect-disinhibition account alone. One gain is no rival's: with ``memory`` at 0 the effect ends
with the circuit, which a null model needs.
"""

from ketasim.core.declare import Mechanism, Parameter, story_of
from ketasim.core.evidence import assumed


def _gain(name: str, value: float, meaning: str) -> Parameter:
    why = "the default account" if value else "a rival account, off by default"
    return Parameter(name, value, "1", (0.0, 1.0), assumed(why), meaning, role="gain")


DRIVERS = Mechanism(
    name="drivers",
    story=story_of(__doc__),
    parameters=(
        _gain(
            "disinhibition", 1.0, "block of NMDA receptors on interneurons and pyramidal cells acts"
        ),
        _gain("resting", 0.0, "block of resting NMDA receptors silences eEF2 kinase"),
        _gain("hydroxynorketamine", 0.0, "(2R,6R)-hydroxynorketamine raises glutamate release"),
        _gain("trkb", 0.0, "the drug binds TrkB and strengthens BDNF"),
        _gain("lhb", 0.0, "block trapped in the lateral habenula lifts mood"),
        _gain("opioid", 0.0, "opioid tone gates the change of mood"),
        _gain("memory", 1.0, "proteins and spines follow the pulse"),
    ),
)
