"""The examples in the documentation of configuration files are configurations."""

import re
from pathlib import Path

import pytest

from ketasim.config import loads, schema

TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_load_without_a_caution(example):
    assert loads(example).cautions == ()


def test_every_key_is_documented():
    def keys(table):
        for name, field in table.model_fields.items():
            yield field.alias or name
            for inner in re.findall(r"(\w+Table)", str(field.annotation)):
                yield from keys(getattr(schema, inner))

    missing = [key for key in keys(schema.Config) if not re.search(rf"\b{key}\b", TEXT)]
    assert len(EXAMPLES) == 2
    assert not missing
