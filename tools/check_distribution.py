"""Builds what is published, and sees that it works where nothing else of this repository is.

    python tools/check_distribution.py DIST

Source distributions and wheels (each wheel from its source distribution) are written to DIST and
checked. The wheel is installed in an empty environment, and scores from a folder of its own.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "integrations" / "vllm"
MOST_BYTES = 25e6
# Of Markdown and HTML; an index knows no other files of a repository
RELATIVE_LINK = re.compile(r'\]\((?!https?:|#)[^)]*\)|\b(?:src|srcset|href)="(?!https?:)[^"]*"')
SCORE = """
from headwise import QualityEstimator
print(QualityEstimator.from_pretrained("tiny-en-de").score("A dog runs.", "Ein Hund läuft.").score)
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a command prints; it must succeed, and neither asks a hub nor sees this repository."""
    environment = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"HF_HUB_OFFLINE": "1", "PYTHONUTF8": "1", "COLUMNS": "100"}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, text=True, capture_output=True
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{command}: exit code {done.returncode}")
    return done.stdout


def build(source: Path, dist: Path, name: str) -> Path:
    """The wheel of a project, whose files in ``dist`` are as its pages on an index need them."""
    for old in dist.glob(f"{name}-*"):
        old.unlink()
    run(sys.executable, "-m", "build", "--outdir", dist, source)
    made = sorted(dist.glob(f"{name}-*"))
    assert [path.suffix for path in made] == [".whl", ".gz"], made
    print(run(sys.executable, "-m", "twine", "check", "--strict", *made).strip())
    return made[0]


def check_wheel(wheel: Path, package: Path) -> None:
    """See that a wheel holds a package and its licences, nothing else, and no broken link."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode("utf-8")
    about = metadata.removesuffix("METADATA")
    inside = {name for name in names if not name.startswith(about)}
    differing = sorted(inside ^ files_of(package))
    assert not differing, f"In {wheel.name} or in {package} alone: {differing}"
    named = re.findall(r"^License-File: (.+)", text, re.MULTILINE)
    licences = {f"{about}licenses/{name}" for name in named}
    assert licences, f"{wheel.name} names no licence"
    assert licences <= names, f"{wheel.name} lacks {sorted(licences - names)}"
    page = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    links = [found[0] for found in RELATIVE_LINK.finditer(page)]
    assert not links, f"These links lead nowhere on the page of an index: {links}"
    size = wheel.stat().st_size
    assert size <= MOST_BYTES, f"{wheel.name} has {size:,} bytes"
    print(f"{wheel.name}: {size / 1e6:.2f} MB, {len(names)} files")


def files_of(package: Path) -> set[str]:
    """Names in a wheel of all that a package holds."""
    found = (path for path in package.rglob("*") if path.is_file())
    names = (path.relative_to(package.parent).as_posix() for path in found)
    return {name for name in names if "__pycache__" not in name}


def try_out(wheel: Path) -> None:
    """Install a wheel in an empty environment, and score with it from an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        python = here / "environment" / "bin" / "python"
        run(sys.executable, "-m", "venv", here / "environment")
        begun = time.perf_counter()
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(*pip, "install", "-c", ROOT / "constraints.txt", wheel)
        run(*pip, "check")
        print(f"installed with all it needs in {time.perf_counter() - begun:.0f} s")
        work = here / "work"
        work.mkdir()
        for what in ("after installing", "from then on"):
            begun = time.perf_counter()
            score = float(run(python, "-c", SCORE, cwd=work))
            assert 0 < score < 1, score
            print(f"start to first score, {what}: {time.perf_counter() - begun:.1f} s")
        begun = time.perf_counter()
        shown = run(python.with_name("headwise"), "demo", "--output", "demo.html", cwd=work)
        assert "Bahnhof" in shown, shown
        assert (work / "demo.html").stat().st_size > 1000
        print(f"headwise demo: {time.perf_counter() - begun:.1f} s")


def main() -> None:
    """Build, check and try out."""
    dist = Path(sys.argv[1]).resolve()
    dist.mkdir(parents=True, exist_ok=True)
    plugin = build(PLUGIN, dist, "headwise_vllm")
    check_wheel(plugin, PLUGIN / "src" / "headwise_vllm")
    wheel = build(ROOT, dist, "headwise")
    check_wheel(wheel, ROOT / "src" / "headwise")
    try_out(wheel)


if __name__ == "__main__":
    main()
