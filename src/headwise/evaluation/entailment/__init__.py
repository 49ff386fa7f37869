"""Predictions of entailment judged, answers and abstentions alike; no pages."""
