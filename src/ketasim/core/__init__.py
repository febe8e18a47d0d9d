"""The nouns: what a mechanism, a model, a protocol and a scenario are."""
