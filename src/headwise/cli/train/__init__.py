"""Commands that train, one a file; no logic."""
