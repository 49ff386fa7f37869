"""The command as a user meets it: in a process of its own, with exit codes and messages."""

import os
import subprocess
import sys
from pathlib import Path


def headwise(
    *arguments: str | Path, cwd: Path, text: str | bytes = b"", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command and check its exit code; no traceback is ever printed."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "headwise", *map(str, arguments)],
        cwd=cwd,
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        env=environment,
        timeout=300,
        check=False,
    )
    decoded = subprocess.CompletedProcess(
        result.args, result.returncode, result.stdout.decode(), result.stderr.decode()
    )
    assert result.returncode == code, decoded.stderr
    assert "Traceback" not in decoded.stderr
    return decoded
