"""Train the head of grounded answers on the cached features of all families."""

import argparse
from pathlib import Path

from features import gemma, grounded_set
from fitting import CHOSEN, fitted_head

from headwise.corruption.grounded import GroundedFamily


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--without", help="a family to leave out")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    backbone = gemma()
    found = grounded_set(backbone, arguments.data, arguments.work, "train")
    families = [str(family) for family in GroundedFamily if family != arguments.without]
    folder = arguments.work / "heads" / f"{arguments.without or 'all'}-{arguments.seed}"
    fitted_head(backbone, found, folder, families=families, variant=CHOSEN, seed=arguments.seed)
    print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
