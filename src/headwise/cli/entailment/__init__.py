"""Commands of entailment and search, one a file; no logic."""
