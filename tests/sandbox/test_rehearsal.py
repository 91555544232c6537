"""The rehearsal at a simulated vendor, as a user runs it."""

import subprocess
import sys


def test_the_whole_pipeline_ends_with_one_paid_job() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "sandbox", "demo"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )

    said = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-1': 1}: one paid job" in said
    assert "openai/gpt-4.1-mini-2025-04-14 exact_match 0.000" in said
    assert " exact_match 1.000" in said
