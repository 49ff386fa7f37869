"""The hub layout of a Sigmoid Head: the file that travels with exported weights."""
