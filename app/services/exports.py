"""Exports: tuned weights to take along, with all that is needed to serve and to repeat them."""

import hashlib
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from app.domain.cards.card import encode
from app.domain.cards.readme import readme
from app.domain.errors import OperationNotSupported
from app.domain.models import TunedModel
from app.domain.provider import ExportedFile, Exporting, Provider, Weights
from app.services.cards import Cards
from app.services.models import Models

_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Weights that may be taken; `files` brings them into their form, which may take a while."""

    model: TunedModel
    weights: Weights
    card: bytes
    readme: bytes

    @property
    def name(self) -> str:
        """Of the folder in the archive."""
        return f"{self.model.id}-{self.weights}"

    @property
    def revision(self) -> str:
        """Changes with the weights, and with what is told of them."""
        said = f"{self.name} {self.model.sha256} {hashlib.sha256(self.card).hexdigest()}"
        return hashlib.sha256(said.encode()).hexdigest()


class Archive(msgspec.Struct, frozen=True):
    """A tar archive: exactly `size` bytes, read from the disk as they are taken."""

    size: int
    chunks: AsyncIterator[bytes]


class Exports:
    """What a user does to take weights along."""

    def __init__(self, providers: Mapping[str, Provider], resolving: Models, cards: Cards) -> None:
        self._providers = providers
        self._models = resolving
        self._cards = cards

    async def of(self, reference: str, weights: Weights | None) -> Export:
        """What there is to take, by default as it was trained; raises `OperationNotSupported`."""
        model = await self._models.get(reference)
        self._exporting(model)
        card = await self._cards.of(model)
        as_trained = Weights.ADAPTER if model.kind == "adapter" else Weights.MERGED
        return Export(
            model=model,
            weights=weights or as_trained,
            card=encode(card),
            readme=readme(card).encode(),
        )

    async def archive(self, export: Export) -> Archive:
        """The archive; raises `ExportImpossible`, and `ModelUnavailable` while weights merge."""
        provider = self._exporting(export.model)
        weights = await provider.export(export.model.artifact, export.weights)
        files = [
            _file("README.md", export.readme),
            _file("card.json", export.card),
            *(file for file in weights if file.name not in ("README.md", "card.json")),
        ]
        size = sum(_BLOCK + file.size + _padding(file.size) for file in files) + len(_END)
        return Archive(size, _tar(export, files))

    def _exporting(self, model: TunedModel) -> Exporting:
        provider = self._providers.get(model.provider)
        if not isinstance(provider, Exporting):
            title = provider.spec.title if provider else model.provider
            raise OperationNotSupported(
                f"The weights stay at {title}. Ask the model where it is, or train the same on "
                "your own machine by its card."
            )
        return provider


async def _tar(export: Export, files: Sequence[ExportedFile]) -> AsyncIterator[bytes]:
    for file in files:
        entry = tarfile.TarInfo(f"{export.name}/{file.name}")
        entry.size, entry.mtime = file.size, export.model.created_at // 1000
        yield entry.tobuf(tarfile.GNU_FORMAT)
        async for chunk in file.chunks():
            yield chunk
        yield bytes(_padding(file.size))
    yield _END


def _padding(size: int) -> int:
    return -size % _BLOCK


def _file(name: str, content: bytes) -> ExportedFile:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return ExportedFile(name=name, size=len(content), chunks=chunks)
