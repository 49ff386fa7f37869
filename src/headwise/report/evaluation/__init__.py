"""Evaluations for people: terminal, Markdown, page, folder; no measuring."""
