"""Checked claims as a page; nothing is checked here."""
