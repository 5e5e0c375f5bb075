"""The errors of the domain: what went wrong, as data.

An error carries its kind and the values that a sentence about it needs (bytes, names, sizes). It contains no sentence:
the doors (`api/`, `ui/`) word it for people, in their language, from `webui/locales/`. Knows no torch, no HTTP, no
page.
"""

from __future__ import annotations

from typing import ClassVar

Detail = str | int | float


class DarkroomError(Exception):
    """Something that a person can be told about.

    `kind` names it in events, in the API and in the catalogue of sentences (`error.<kind>`, `hint.<kind>`); `details`
    fills the blanks of those sentences.
    """

    kind: ClassVar[str] = "internal"

    def __init__(self, **details: Detail) -> None:
        super().__init__(self.kind, details)
        self.details = details

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.details.items())
        return f"{self.kind}({values})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.details)


def _rebuild(cls: type[DarkroomError], details: dict[str, Detail]) -> DarkroomError:
    return cls(**details)


class Cancelled(DarkroomError):
    """The person stopped the job. Raised inside the engine to unwind it; never shown as a failure."""

    kind = "cancelled"


class InvalidRequest(DarkroomError):
    """A value that passed the schema turned out wrong. Details: `field`, `reason`."""

    kind = "invalid_request"


# --- checkpoints -----------------------------------------------------------------------------------------------------


class NoCheckpoint(DarkroomError):
    """There is no checkpoint below the models folder at all. Details: `folder`."""

    kind = "no_checkpoint"


class CheckpointNotFound(DarkroomError):
    """The named checkpoint cannot be found. Details: `checkpoint`."""

    kind = "checkpoint_not_found"


class FolderGone(DarkroomError):
    """The folder of another program that the checkpoint lies in is not there. Details: `checkpoint`, `folder`."""

    kind = "folder_gone"


class CheckpointBroken(DarkroomError):
    """The file cannot be a checkpoint: truncated, overlapping, foreign. Details: `checkpoint`, `reason`."""

    kind = "checkpoint_broken"


class CheckpointPickled(DarkroomError):
    """A pickled file could run code when opened, so it is refused. Details: `checkpoint`."""

    kind = "checkpoint_pickled"


class CheckpointTooLarge(DarkroomError):
    """The device does not have enough memory for it, even alone. Details: `checkpoint`, `device`, `needed_gb`."""

    kind = "checkpoint_too_large"


class FamilyUnknown(DarkroomError):
    """An intact file or folder that is not a checkpoint we support. Details: `checkpoint`, `reason`."""

    kind = "family_unknown"


class ModelNotFound(DarkroomError):
    """No model of any kind has this id. Details: `model`."""

    kind = "model_not_found"


class ModelUnusable(DarkroomError):
    """A LoRA, an embedding, a VAE or the like cannot be used. Details: `model`, `reason`, and `kind` if its kind is not
    supported."""

    kind = "model_unusable"


class ModelConverting(DarkroomError):
    """An old pickled model is still being converted. Details: `model`."""

    kind = "model_converting"


class ModelInUse(DarkroomError):
    """A job that waits or runs needs the model. Details: `model`, `jobs` (how many)."""

    kind = "model_in_use"


class ModelReadOnly(DarkroomError):
    """The model lies in a folder of another program, in which nothing is changed. Details: `model`, `folder`."""

    kind = "model_read_only"


class ModelExists(DarkroomError):
    """Another model has that name. Details: `model`."""

    kind = "model_exists"


class TaskUnsupported(DarkroomError):
    """The checkpoint cannot do this task. Details: `checkpoint`, `family`, `task`."""

    kind = "task_unsupported"


class TokenizerMissing(DarkroomError):
    """No tokenizer beside the file or in models/tokenizers/, and none could be downloaded. Details: `checkpoint`,
    `family`, `folders` (where to put it), `files` (which).
    """

    kind = "tokenizer_missing"


class CriticMissing(DarkroomError):
    """There is no critic to choose the best pictures. Details: `checkpoint`, `folder` (where a CLIP model goes)."""

    kind = "critic_missing"


class CriticBroken(DarkroomError):
    """The critic cannot be used. Details: `critic`, `reason`."""

    kind = "critic_broken"


# --- generating ------------------------------------------------------------------------------------------------------


class PromptError(DarkroomError):
    """The prompt cannot be read. Details: `reason`, `position` (index of the character); for some reasons more, such as
    a limit; and `field` if it is the negative prompt.
    """

    kind = "prompt"


class LoraUnusable(DarkroomError):
    """A LoRA in the prompt does not work with the checkpoint. Details: `name`, `reason`, and `kind` if its kind is not
    supported."""

    kind = "lora_unusable"


class OutOfMemory(DarkroomError):
    """The device ran out of memory, even after every fallback. Details: `width`, `height`, `device`."""

    kind = "out_of_memory"


class NotFinite(DarkroomError):
    """The network produced NaN or infinity; such a picture would be black, and is not saved. Details: `phase`."""

    kind = "not_finite"


class WeightsBroken(DarkroomError):
    """A weights file (VGG-19, …) does not contain what is needed there. Details: `file`, `reason`."""

    kind = "weights_broken"


class WorkerDied(DarkroomError):
    """The worker process ended twice while it ran this job. Details: `exit_code`."""

    kind = "worker_died"


class WorkerStalled(DarkroomError):
    """The worker was silent for too long while it ran this job, and was replaced. Details: `minutes`."""

    kind = "worker_stalled"


class WorkerUnavailable(DarkroomError):
    """The worker process does not start. Details: `reason`."""

    kind = "worker_unavailable"


# --- pictures and files ----------------------------------------------------------------------------------------------


class NotAnImage(DarkroomError):
    """The bytes are not a readable PNG, JPEG or WebP. Details: none."""

    kind = "not_an_image"


class ImageTooLarge(DarkroomError):
    """Over the limit in pixels. Details: `width`, `height`, `limit_megapixels`."""

    kind = "image_too_large"


class PictureNotFound(DarkroomError):
    """The picture does not exist, or belongs to somebody else. Details: `picture`."""

    kind = "picture_not_found"


class BoardNotFound(DarkroomError):
    """The board does not exist, or belongs to somebody else. Details: `board`."""

    kind = "board_not_found"


class BoardExists(DarkroomError):
    """Another board of this person has that name. Details: `name`."""

    kind = "board_exists"


class TooManyBoards(DarkroomError):
    """The person has as many boards as allowed. Details: `limit`."""

    kind = "too_many_boards"


class TooManyPictures(DarkroomError):
    """More pictures than one download can hold. Details: `count`, `limit`."""

    kind = "too_many_pictures"


class BundleTooLarge(DarkroomError):
    """More bytes than one download can hold. Details: `gigabytes`, `limit` (in GB)."""

    kind = "bundle_too_large"


class PrivateOver(DarkroomError):
    """The page still thinks that it is in private mode, which has ended. Details: none."""

    kind = "private_over"


class PrivateMemoryFull(DarkroomError):
    """A picture larger than the whole memory of private mode. Details: `megabytes`."""

    kind = "private_memory_full"


class JobNotFound(DarkroomError):
    """The job does not exist, or belongs to somebody else. Details: `job`."""

    kind = "job_not_found"


class JobUnreadable(DarkroomError):
    """This version cannot read the job: another one wrote it, or its row is damaged. Details: none."""

    kind = "job_unreadable"


class StripGone(DarkroomError):
    """The job's previews are gone, or there never were any. Details: none."""

    kind = "strip_gone"


class QueueFull(DarkroomError):
    """Too many jobs are waiting. Details: `waiting`, `retry_after_seconds`."""

    kind = "queue_full"


class TooManyJobs(QueueFull):
    """Too many jobs of this person are waiting. Details: `waiting`, `retry_after_seconds`."""

    kind = "too_many_jobs"


class UploadsFull(DarkroomError):
    """The person has too many unused uploads. Details: `gigabytes`, `number` (both limits), `retry_after_seconds`."""

    kind = "uploads_full"


class KeyReused(DarkroomError):
    """The same Idempotency-Key was used for another request. Details: `job` (the one that the key made)."""

    kind = "key_reused"


class FolderNotWritable(DarkroomError):
    """A folder that must be writable is not. Details: `folder`."""

    kind = "folder_not_writable"


class DiskFull(DarkroomError):
    """The disk is full. Details: `folder`."""

    kind = "disk_full"


class FolderInUse(DarkroomError):
    """Another Darkroom uses the same data folder. Details: `folder`."""

    kind = "folder_in_use"


class DatabaseTooNew(DarkroomError):
    """The database was written by a later version. Details: `found`, `known`."""

    kind = "database_too_new"


class DatabaseLocked(DarkroomError):
    """Another program holds the database. Details: `folder`."""

    kind = "database_locked"


class PortInUse(DarkroomError):
    """The port is taken. Details: `host`, `port`."""

    kind = "port_in_use"


class ShareFailed(DarkroomError):
    """The public link could not be opened; the app serves this machine only. Details: `reason`."""

    kind = "share_failed"


# --- getting models --------------------------------------------------------------------------------------------------


class DownloadNotFound(DarkroomError):
    """There is no such download. Details: `download`."""

    kind = "download_not_found"


class DownloadEnded(DarkroomError):
    """It cannot be paused or resumed, since it has ended. Details: `name`."""

    kind = "download_ended"


class OfferNotFound(DarkroomError):
    """No offer has this id. Details: `offer`."""

    kind = "offer_not_found"


class RepositoryNotFound(DarkroomError):
    """There is no such repository, or it is private. Details: `repository`."""

    kind = "repository_not_found"


class RepositoryGated(DarkroomError):
    """The repository wants its terms agreed to, and a token. Details: `repository`."""

    kind = "repository_gated"


class RevisionNotFound(DarkroomError):
    """The repository has no such revision. Details: `repository`, `revision`."""

    kind = "revision_not_found"


class NothingToDownload(DarkroomError):
    """What was asked for holds nothing that may be fetched. Details: `source`, `reason`; some reasons name a `file`."""

    kind = "nothing_to_download"


class AddressRefused(DarkroomError):
    """An address that nothing is fetched from: not https, private, unreadable. Details: `address`, `reason`."""

    kind = "address_refused"


class SourceUnreachable(DarkroomError):
    """The server of a model does not answer, or not as it should. Details: `host`, `reason`, and `status` for one."""

    kind = "source_unreachable"


class SourceBusy(DarkroomError):
    """The server of a model wants to be asked later. Details: `host`, `retry_after_seconds`."""

    kind = "source_busy"


class SourceLogin(DarkroomError):
    """The server of a model wants a token. Details: `host`."""

    kind = "source_login"


class NoModelChosen(DarkroomError):
    """None of the models for the first start is one for this machine. Details: `reason`; some reasons name the `model`
    that comes next, and the `seconds` of a picture."""

    kind = "no_model_chosen"


class DownloadDamaged(DarkroomError):
    """What came is not what the repository said. Details: `file`, `reason`."""

    kind = "download_damaged"


class FileRefused(DarkroomError):
    """A file of this computer cannot become one of the models. Details: `file`, `reason`."""

    kind = "file_refused"


class DiskSpaceShort(DarkroomError):
    """A download does not fit with some room to spare. Details: `needed_gb`, `free_gb`, `spare_gb`, `folder`, `could`
    (what could be deleted)."""

    kind = "disk_space_short"
