"""Generation that is scored on the way, and how written text is read again; no loading."""
