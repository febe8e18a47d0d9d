"""Measures that tell little are flagged, each kind by a check made for it."""

import pytest

import ketasim as ks
from ketasim.config.findings import load_checks
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.findings.flags import flagged, without_response

MODEL = antidepressant()
HEAD = """schema = 1
number = 1
title = "A check of our own"
rows = ["own"]
references = ["Own2026"]
assumed = ["ketamine", "bdnf.antibody"]

[arms.ketamine]
subject = "mouse"
dosing = [{ amount = "10 mg/kg", route = "ip" }]
intervention = [{ target = "stress.stressor", level = 1.0, from = "always" }]

[arms.antibody]
like = "ketamine"
intervention = [{ target = "bdnf.antibody", level = 0.8, from = "-30 min", until = "12 h" }]

[arms.expecting]
subject = "human"
intervention = [
  { target = "stress.stressor", level = 1.0, from = "always" },
  { target = "outcome.expectation", level = "6 points", from = "0 h" },
]
"""
EFFECT = "effect(ketamine, outcome.mood.at(24 h))"


def measure(value, accepted, extra=""):
    return f'[[measure]]\nname = "m"\nvalue = "{value}"\nunit = "1"\n{accepted}\n{extra}\n'


@pytest.fixture
def verdict(tmp_path):
    def judge(*measures, head=HEAD):
        (tmp_path / "own.toml").write_text("\n".join([head, *measures]))
        return flagged(load_checks(tmp_path), MODEL)[0]

    return judge


def kinds(verdict, at=0):
    return {flag.kind for flag in verdict.flags[at]}


@pytest.mark.parametrize(
    ("value", "accepted", "kind", "what"),
    [
        ("ketamine.glutamate.relative.peak", "at_least = 1.01", "null", "null-no-memory"),
        (EFFECT, "at_most = 0.5", "null", "no response"),
        ("parameter(nmda.k_s)", "at_least = 0.1", "input", "nmda.k_s"),
        ("3 * parameter(nmda.k_s)", "at_least = 0.1", "input", "nmda.k_s"),
        (
            "expecting.outcome.expectancy.at(28 d) - expecting.outcome.expectancy.at(-30 min)",
            "at_least = 5",
            "input",
            "outcome.expectation",
        ),
    ],
)
def test_each_kind_is_found(verdict, value, accepted, kind, what):
    found = verdict(measure(value, accepted))
    assert (kind, what) in {(flag.kind, flag.what) for flag in found.flags[0]}


def test_a_sound_measure_is_not_flagged(verdict):
    found = verdict(measure(EFFECT, "at_least = 0.01"))
    assert (found.word, found.flags) == ("agrees", ((),))


def test_what_hangs_on_an_assumed_dose_says_where_it_tips(verdict):
    peak = "ketamine.plasma.peak"
    found = verdict(measure(peak, "at_least = 0"))
    assert "assumed" not in kinds(found)
    found = verdict(measure(peak, f"at_most = {1.1 * found.predictions[0]!r}"))
    (flag,) = [one for one in found.flags[0] if one.kind == "assumed"]
    assert flag.what == "ketamine"
    assert "with ketamine at 1.3 of what was assumed" in flag.told


def test_what_is_not_called_assumed_is_left_alone(verdict):
    peak = "ketamine.plasma.peak"
    high = 1.1 * verdict(measure(peak, "at_least = 0")).predictions[0]
    head = HEAD.replace('"ketamine", "bdnf', '"bdnf')
    assert "assumed" not in kinds(verdict(measure(peak, f"at_most = {high!r}"), head=head))


def test_what_a_null_passes_can_fail_a_check_and_not_pass_it(verdict):
    little, sound = measure(EFFECT, "at_most = 0.5"), measure(EFFECT, "at_least = 0.01")
    assert verdict(little).word == "tells little"
    assert not verdict(little).passed
    assert verdict(little, sound).passed
    assert verdict(measure(EFFECT, "at_most = 0.001"), sound).failed


def test_no_check_passes_by_an_input_or_by_what_hangs_on_an_assumption(verdict):
    sound, own = (
        measure(EFFECT, "at_least = 0.01"),
        measure("parameter(nmda.k_s)", "at_least = 0.1"),
    )
    assert verdict(sound).passed
    assert verdict(sound, own).word == "tells little"
    high = 1.1 * verdict(measure("ketamine.plasma.peak", "at_least = 0")).predictions[0]
    tight = measure("ketamine.plasma.peak", f"at_most = {high!r}")
    assert verdict(sound, tight).word == "tells little"
    assert verdict(sound, tight, head=HEAD.replace('"ketamine", "bdnf', '"bdnf')).passed


def test_a_check_of_consistency_asks_for_nothing_else(verdict):
    head = HEAD.replace("number = 1", "number = 1\nconsistency = true")
    assert verdict(measure("parameter(nmda.k_s)", "at_least = 0.1"), head=head).passed


def test_without_response_no_arm_is_drugged():
    (one,) = [check for check in load_checks() if check.number == 14]
    assert one.arms["ketamine"].treated.doses
    assert not without_response(one).arms["ketamine"].treated.doses


def test_a_condition_that_is_scaled_stays_within_reach():
    arm = next(c for c in load_checks() if c.number == 8).arms["nbqx"]
    held = [e.value for e in arm.scaled("ampa.antagonist", 1.3, most=1.0).treated.events[1:]]
    assert held == [1.0, 1.0]
    assert arm.scaled("ketamine", 0.7).treated.doses[0].amount == pytest.approx(7.0)
    assert arm.scaled("ketamine", 0.7).control == arm.control


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('like = "ketamine"', 'like = "ketamin"', "own.toml: arms.antibody.like: write the name"),
        ('like = "ketamine"', 'like = "antibody"', "own.toml: arms.antibody.like: write the name"),
        ('"bdnf.antibody"]', '"bdnf.antibodi"]', 'own.toml: assumed: "bdnf.antibodi": no arm has'),
    ],
)
def test_mistakes_name_file_and_key(verdict, old, new, said):
    with pytest.raises(ConfigError) as caught:
        verdict(measure(EFFECT, "at_least = 0.01"), head=HEAD.replace(old, new, 1))
    assert str(caught.value).startswith(said)


def test_an_arm_like_another_is_that_one_with_more():
    one = next(c for c in load_checks() if c.number == 10)
    assert one.arms["antibody"].conditions == ("ketamine", "stress.stressor", "bdnf.antibody")
    assert one.arms["swim"].treated.doses[0].amount == 3.0
    assert one.arms["swim"].subject == ks.mouse()
