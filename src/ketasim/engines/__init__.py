"""Engines: plain arrays in, plain arrays out."""
