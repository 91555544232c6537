"""`luthier sandbox openai` as a process of its own."""

import re
import signal
import subprocess
import sys

import httpx

from app.sandbox.openai.simulator import SimulatedOpenAI

COMMAND = [sys.executable, "-m", "app", "sandbox", "openai"]


def test_the_command_serves_until_it_is_told_to_end() -> None:
    with subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = re.findall(r"http://\S+", process.stdout.readline())[0]

        answer = httpx.get(
            f"{url}/models", headers={"authorization": "Bearer any"}, trust_env=False, timeout=60
        )
        process.send_signal(signal.SIGTERM)

    assert answer.status_code == 200
    assert process.returncode == 0


def test_a_port_that_is_taken_is_said_in_one_line(simulated: SimulatedOpenAI) -> None:
    port = simulated.url.split(":")[2].removesuffix("/v1")

    ended = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"luthier: Port {port} cannot be used")
