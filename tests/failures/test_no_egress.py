"""The wall around the tests stands, in this process and in those that it begins."""

import socket
import subprocess
import sys

import pytest

ATTEMPT = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"


def test_this_process_does_not_leave_the_machine() -> None:
    with pytest.raises(ConnectionRefusedError, match="not on this machine"):
        socket.create_connection(("192.0.2.1", 80))
    with pytest.raises(ConnectionRefusedError, match="not on this machine"):
        socket.getaddrinfo("example.com", 443)


def test_nor_does_one_that_it_begins() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ATTEMPT], capture_output=True, text=True, check=False
    )

    assert "192.0.2.1 is not on this machine" in done.stderr
