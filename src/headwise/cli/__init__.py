"""The ``headwise`` command, one file a subcommand: parse, call, print; no logic."""
