"""Scored texts for people: in a terminal and as a page; no scoring."""
