"""Whose turn it is: one thread a model, batches across requests, streams step by step."""
