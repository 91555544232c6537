"""Which versions send a job: this service's, and those of the packages that its provider needs."""

import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from app.domain.provider import ProviderSpec


def versions_of(spec: ProviderSpec) -> dict[str, str]:
    """Versions by the name under which each is installed; what is not installed is left out."""
    return dict(_versions(spec.packages))


@cache
def _versions(packages: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return (("python", platform.python_version()), *_installed(("luthier", *packages)))


def _installed(packages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for package in packages:
        # Such as google.cloud.aiplatform, which is installed as google-cloud-aiplatform.
        name = package.replace(".", "-")
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
