"""Claims against sources: one claim, several about one source, files of them; no routes."""
