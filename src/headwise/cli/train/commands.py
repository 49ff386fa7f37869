"""The group ``headwise train``, apart from ``headwise`` itself: its options import settings."""

import typer

from headwise.cli.train.abstention import abstention
from headwise.cli.train.errors import errors
from headwise.cli.train.nli import nli
from headwise.cli.train.sigmoid import sigmoid

train = typer.Typer(help="Train heads on a frozen language model.", no_args_is_help=True)
for command in (nli, abstention, errors, sigmoid):
    train.command()(command)
