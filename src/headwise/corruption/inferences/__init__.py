"""Pairs of texts whose label follows from that of others, to teach what shared words hide."""
