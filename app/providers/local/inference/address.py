"""Where a worker lives: its socket, the lock of the one that owns it, its log."""

import fcntl
import hashlib
import os
import socket
import stat
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from app.providers.local.inference.errors import InferenceUnavailable


def socket_path(data_dir: Path) -> Path:
    """The socket of the worker that serves `data_dir` for this version of the code.

    It lies in the system's temporary folder because a socket's name may have 108 bytes at most.
    Raises InferenceUnavailable when the folder there belongs to, or is open to, somebody else.
    """
    folder = Path(tempfile.gettempdir()) / f"luthier-{os.getuid()}"
    ensure_private(folder)
    identity = f"{data_dir.resolve()}\n{_version()}"
    return folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:12]}.sock"


def ensure_private(folder: Path) -> None:
    """Make the folder, or see that it is this user's alone; InferenceUnavailable if not."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    owned = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not owned or stat.S_IMODE(found.st_mode) & 0o077:
        raise InferenceUnavailable(
            f"{folder} must be a folder of user {os.getuid()} with mode 0700; remove it and retry."
        )


def lock_path(address: Path) -> Path:
    """The file that the worker keeps locked while it lives; it holds the worker's pid."""
    return Path(f"{address}.lock")


def log_path(address: Path) -> Path:
    """Where a worker that a client started writes its log."""
    return Path(f"{address}.log")


def claim(address: Path) -> int | None:
    """Lock the socket for this process's life and return the descriptor; None when it is taken."""
    descriptor = os.open(lock_path(address), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _try_lock(descriptor):
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def bind(address: Path) -> socket.socket:
    """A socket that only this user can open, from its first moment on; it does not listen yet.

    The caller has claimed the path, so whatever lies there is a dead worker's and is removed.
    """
    address.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        listener.bind(str(address))
    finally:
        os.umask(previous)
    return listener


def owner(address: Path) -> int | None:
    """The pid of the worker that lives, or None when there is none."""
    try:
        descriptor = os.open(lock_path(address), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(descriptor):
            return None
        # Read after the lock was seen held: what a dead worker left must not be taken for a pid.
        written = os.pread(descriptor, 20, 0)
        return int(written) if written else None
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _version() -> str:
    try:
        return version("luthier")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "source"
