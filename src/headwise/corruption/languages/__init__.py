"""Words of each language that corruption edits by; no edits."""
