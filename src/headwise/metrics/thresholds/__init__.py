"""Thresholds that keep a share of errors: on an uncertainty, and for stages of a cascade."""
