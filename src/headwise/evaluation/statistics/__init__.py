"""Tables of measures with intervals and tests, for every evaluation; no reading of data."""
