"""Figures, drawn from plain records; no measuring."""
