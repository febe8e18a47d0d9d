"""Rival hypotheses judged by experiments: calibrated, run as one ensemble, scored, separated."""
