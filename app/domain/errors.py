"""Everything that Luthier itself can refuse, as one tree.

LuthierError
├── Invalid                     the request cannot be carried out as it stands
│   ├── DatasetInvalid          rows that are wrong, each with its line
│   │   └── DatasetEmpty
│   ├── FormatUnavailable       the file's format needs a package that is not installed
│   ├── ContainerUnfit          the container has no place for the form
│   ├── ConversionLoses         the form cannot carry everything; each loss with its line
│   ├── UrlRefused              the service does not go where the URL leads
│   ├── UrlUnreachable          what is behind the URL does not come, or not whole
│   ├── DatasetTooSmall
│   ├── DatasetKindUnfit
│   ├── BaseModelUnknown
│   ├── MethodNotSupported
│   ├── HyperparametersInvalid
│   ├── DatasetUnfit            the provider would refuse the dataset; each row with its line
│   ├── BaseModelRetired
│   ├── BaseModelNotListed      the vendor's own list does not have it, or not as tunable
│   ├── OverBudget
│   ├── RecipeUnknown           how a model was trained, or on what, is not known here
│   ├── HeldOutMissing          no examples to compare on that were not trained on
│   ├── TargetsUnfit            a comparison's targets, each with what speaks against it
│   ├── CandidateInvalid
│   ├── SplitImpossible
│   ├── NoWeakExamples, NoFeedback
│   ├── EditsInvalid            edits that are wrong, each with its pointer
│   ├── CursorInvalid
│   ├── FileUnfit               the file cannot be trained on; what is wrong stands with it
│   ├── UploadUnfit             the parts are not what was announced
│   ├── EventTypeUnknown        a webhook for events that are never told; what is stands with it
│   ├── CardUnfit               no job can be made of the model card here
│   └── IdempotencyKeyReused
├── TooLarge                    the upload is over the service's limit
├── NotFound
│   ├── FileNotFound, UploadNotFound
│   ├── DatasetNotFound, JobNotFound, ModelNotFound, EvaluationNotFound, ProviderNotFound,
│   │   ComparisonNotFound, TemplateNotFound, AliasNotFound, ProjectNotFound, KeyNotFound
│   ├── WebhookNotFound, DeliveryNotFound
├── Conflict                    right request, wrong moment
│   ├── JobFinished, JobNotFinished
│   ├── ComparisonFinished
│   ├── EvaluationIncomplete    answers are missing that would have to be scored
│   ├── UploadClosed            the upload was completed or cancelled, or came too late
│   ├── OperationNotSupported
│   ├── ExportImpossible        the weights are not here, or not in that form
│   ├── CreationClosed          the provider takes no new jobs
│   ├── ProviderNotConfigured   credentials or options are missing
│   ├── DatasetInUse, ModelInUse
│   ├── GateNotMet              the evaluation does not let the alias move
│   ├── NothingToRollBack       the alias pointed to no other model before
│   ├── ProjectExists, KeyRevoked
│   ├── SpendLimitReached       more than is left of what the key or its project may spend
│   ├── WebhookDisabled         nothing is sent to that endpoint
│   ├── SecretKeyMissing        the operator has set no key to encrypt with
├── Unauthorized
├── Forbidden
│   └── RoleInsufficient        the key's role may not do this
├── TooManyRequests             the key's rate limit
└── Unavailable                 try again later
    ├── DatabaseUnavailable
    ├── StorageFull             the disk has no room left
    ├── RequestTimedOut         it took longer than the operator allows
    ├── IssuerUnavailable       who issues the tokens does not tell its keys
    ├── ModelUnavailable        the model cannot answer now
    └── ProviderUnavailable     the provider does not answer, or wants fewer requests

A provider steers the reconciler with three words only:

Steer
├── Later                       nothing happened; try again after n seconds
│   └── RateLimited             and leave the whole connection alone until then
├── Never                       give up, with the reason
└── YourTurn                    the user must act

Which HTTP status answers which error is the web layer's matter (`api/problems.py`).
"""

from collections.abc import Sequence
from typing import ClassVar

import msgspec


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong: where (`pointer` in the body, or 1-based `line`) and what to do."""

    code: str
    message: str
    pointer: str | None = None
    line: int | None = None


class LuthierError(Exception):
    """Base of everything that Luthier refuses; `code` is stable and documented."""

    code: ClassVar[str] = "error"

    def __init__(
        self, detail: str, *, faults: Sequence[Fault] = (), fault_count: int | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.fault_count = fault_count
        """How many there are in all, where `faults` holds only the first hundred."""


class Invalid(LuthierError):
    """The request cannot be carried out as it stands."""

    code = "invalid_request"


class DatasetInvalid(Invalid):
    """Rows that are wrong, each with its line."""

    code = "dataset_invalid"


class DatasetEmpty(DatasetInvalid):
    """The file holds no example."""

    code = "dataset_empty"


class FormatUnavailable(Invalid):
    """The file's format needs a package that is not installed here."""

    code = "format_unavailable"


class ContainerUnfit(Invalid):
    """The container has no place for the form."""

    code = "container_unfit"


class ConversionLoses(Invalid):
    """Losses of a conversion; `faults` holds the first hundred, `fault_count` says how many."""

    code = "conversion_loses"


class UrlRefused(Invalid):
    """The service does not go where the URL leads."""

    code = "url_refused"


class UrlUnreachable(Invalid):
    """What is behind the URL does not come, or not whole."""

    code = "url_unreachable"


class DatasetTooSmall(Invalid):
    """Fewer examples than the provider accepts."""

    code = "dataset_too_small"


class DatasetKindUnfit(Invalid):
    """The method needs another kind of example."""

    code = "dataset_kind_unfit"


class BaseModelUnknown(Invalid):
    """The provider has no such base model."""

    code = "base_model_unknown"


class MethodNotSupported(Invalid):
    """The provider or the base model does not offer this method."""

    code = "method_not_supported"


class HyperparametersInvalid(Invalid):
    """A hyperparameter is unknown or out of bounds."""

    code = "hyperparameters_invalid"


class DatasetUnfit(Invalid):
    """The provider would refuse the dataset."""

    code = "dataset_unfit"


class OverBudget(Invalid):
    """The training may cost more than the budget, or nobody knows what it costs."""

    code = "over_budget"


class RecipeUnknown(Invalid):
    """How a model was trained, or on what, is not known here."""

    code = "recipe_unknown"


class HeldOutMissing(Invalid):
    """There are no examples to compare on that the model was not trained on."""

    code = "held_out_missing"


class TargetsUnfit(Invalid):
    """Targets of a comparison that cannot be trained; `faults` points to each."""

    code = "targets_unfit"


class BaseModelRetired(Invalid):
    """The provider trains this base model no more."""

    code = "base_model_retired"


class BaseModelNotListed(Invalid):
    """The vendor's own list does not have the base model, or says that it cannot be tuned."""

    code = "base_model_not_listed"


class CandidateInvalid(Invalid):
    """A candidate of an evaluation cannot be asked."""

    code = "candidate_invalid"


class SplitImpossible(Invalid):
    """Too few examples that may be parted from each other."""

    code = "split_impossible"


class NoWeakExamples(Invalid):
    """No example of the evaluation is weak by the measure that was asked for."""

    code = "no_weak_examples"


class NoFeedback(Invalid):
    """No feedback on the model is to be learned from."""

    code = "no_feedback"


class EditsInvalid(Invalid):
    """Edits that cannot be made, each with its pointer."""

    code = "edits_invalid"


class CursorInvalid(Invalid):
    """The cursor is not one that this list gave out."""

    code = "cursor_invalid"


class FileUnfit(Invalid):
    """The file cannot be trained on."""

    code = "file_unfit"


class UploadUnfit(Invalid):
    """The parts of an upload are not what was announced."""

    code = "upload_unfit"


class EventTypeUnknown(Invalid):
    """A webhook is to be sent for events that are never told."""

    code = "event_type_unknown"


class CardUnfit(Invalid):
    """A model card does not lead to a job here; what is missing stands with it."""

    code = "card_unfit"


class IdempotencyKeyReused(Invalid):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"


class TooLarge(LuthierError):
    """The upload is over the service's limit."""

    code = "upload_too_large"


class NotFound(LuthierError):
    """There is no such thing."""

    code = "not_found"


class FileNotFound(NotFound):
    """There is no such file."""

    code = "file_not_found"


class UploadNotFound(NotFound):
    """There is no such upload."""

    code = "upload_not_found"


class DatasetNotFound(NotFound):
    """There is no such dataset."""

    code = "dataset_not_found"


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class ModelNotFound(NotFound):
    """There is no such model."""

    code = "model_not_found"


class EvaluationNotFound(NotFound):
    """There is no such evaluation."""

    code = "evaluation_not_found"


class ComparisonNotFound(NotFound):
    """There is no such comparison."""

    code = "comparison_not_found"


class ProviderNotFound(NotFound):
    """No such provider is configured."""

    code = "provider_not_found"


class TemplateNotFound(NotFound):
    """There is no such dataset template."""

    code = "template_not_found"


class AliasNotFound(NotFound):
    """There is no such alias."""

    code = "alias_not_found"


class WebhookNotFound(NotFound):
    """There is no such webhook endpoint."""

    code = "webhook_not_found"


class DeliveryNotFound(NotFound):
    """There is no such delivery."""

    code = "delivery_not_found"


class ProjectNotFound(NotFound):
    """There is no such project, or none that the key may work for."""

    code = "project_not_found"


class KeyNotFound(NotFound):
    """There is no such key."""

    code = "key_not_found"


class Conflict(LuthierError):
    """The right request at the wrong moment."""

    code = "conflict"


class JobFinished(Conflict):
    """The job has ended; what was asked needs one that goes on."""

    code = "job_finished"


class JobNotFinished(Conflict):
    """The job goes on; what was asked needs one that has ended."""

    code = "job_not_finished"


class ComparisonFinished(Conflict):
    """The comparison has ended; what was asked needs one that goes on."""

    code = "comparison_finished"


class UploadClosed(Conflict):
    """The upload takes no more parts."""

    code = "upload_closed"


class EvaluationIncomplete(Conflict):
    """The evaluation has not all answers; what was asked needs them."""

    code = "evaluation_incomplete"


class OperationNotSupported(Conflict):
    """The provider does not offer this operation."""

    code = "operation_not_supported"


class ExportImpossible(Conflict):
    """The weights are not here, or not in the form that was asked for."""

    code = "export_impossible"


class CreationClosed(Conflict):
    """The provider takes no new jobs."""

    code = "creation_closed"


class ProviderNotConfigured(Conflict):
    """Options of the provider must be set before it can be used."""

    code = "provider_not_configured"


class DatasetInUse(Conflict):
    """Something unfinished still needs the dataset."""

    code = "dataset_in_use"


class ModelInUse(Conflict):
    """Something unfinished still needs the model."""

    code = "model_in_use"


class GateNotMet(Conflict):
    """The evaluation does not let the alias move; `faults` holds the numbers that decided."""

    code = "gate_not_met"


class NothingToRollBack(Conflict):
    """The alias pointed to no other model before that is still there."""

    code = "nothing_to_roll_back"


class WebhookDisabled(Conflict):
    """Nothing is sent to the endpoint until it is enabled again."""

    code = "webhook_disabled"


class SecretKeyMissing(Conflict):
    """The operator has set no key that secrets could be encrypted with."""

    code = "secret_key_missing"


class ProjectExists(Conflict):
    """There is a project of that id."""

    code = "project_exists"


class KeyRevoked(Conflict):
    """The key opens nothing any more; what was asked needs one that does."""

    code = "key_revoked"


class SpendLimitReached(Conflict):
    """It may cost more than is left of what the key or its project may spend."""

    code = "spend_limit_reached"


class Unauthorized(LuthierError):
    """The request carries no valid key."""

    code = "unauthorized"


class Forbidden(LuthierError):
    """The request comes from where it may not come from."""

    code = "forbidden"


class RoleInsufficient(Forbidden):
    """The key's role may not do this."""

    code = "role_insufficient"


class TooManyRequests(LuthierError):
    """The key has sent as many requests as it may; the answer's headers say when it may again."""

    code = "rate_limited"


class Unavailable(LuthierError):
    """Not now; the same request may succeed later."""

    code = "unavailable"


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"


class StorageFull(Unavailable):
    """The disk has no room left for what was sent."""

    code = "storage_full"


class RequestTimedOut(Unavailable):
    """The request took longer than the operator allows; it was broken off."""

    code = "request_timed_out"


class IssuerUnavailable(Unavailable):
    """Who issues the tokens does not tell its keys."""

    code = "issuer_unavailable"


class ModelUnavailable(Unavailable):
    """The model cannot answer now."""

    code = "model_unavailable"


class ProviderUnavailable(Unavailable):
    """The provider does not answer, or wants to be asked later."""

    code = "provider_unavailable"


class Steer(Exception):
    """What a provider may say instead of a result; anything else it raises is 'outcome unknown'."""


class Later(Steer):
    """Nothing happened at the provider; try again after `retry_after` seconds."""

    def __init__(self, reason: str, *, retry_after: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class RateLimited(Later):
    """The provider wants fewer requests: everything on the connection waits, in every replica."""


class Never(Steer):
    """It cannot succeed: the job fails with this code, message and hint."""

    def __init__(self, message: str, *, code: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint


class YourTurn(Steer):
    """The user must act before it can go on; `message` says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
