"""Commands that judge scores and decide by them, one a file; no logic."""
