"""A process that reads one old pickled file and may break on it: `python convert_worker.py TARGET PARENT < SOURCE`.

A textual inversion or an upscaler on standard input, which must be a file, becomes a safetensors file at TARGET, which
must be empty. Only tensors and plain containers are read (`weights_only`). Before it looks into the file, the process
gives up what it does not need: from then on it opens no file and no connection, and memory and time are limited, where
the operating system can (Windows cannot). On Linux it ends with the process PARENT (an id), which has started it.

Prints one line of JSON, `{"tensors": 3}` or `{"error": "reason"}`, the reason being the file's own; without that line
it was stopped, or something is wrong with this machine. Stands alone: it imports torch and safetensors and nothing of
ours.
"""

from __future__ import annotations

import codecs
import contextlib
import ctypes
import io
import json
import os
import pickle
import re
import signal
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch

MAX_BYTES = 2**30  # the largest upscalers have a third of that
MAX_TENSORS = 20_000
CPU_SECONDS = 120
EXTRA_MEMORY_BYTES = 2**29  # beside what the process has already, and a few times the file
EMBEDDING = "emb_params"
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG in Linux' prctl.h
_CALLS = re.compile(r"nsupported (?i:global|class)|unrecognized function")  # torch's words for a program in the file
_ENCODERS = ("clip_l", "clip_g")  # SDXL's two
_WRAPPERS = ("params_ema", "params", "state_dict", "model")  # around an upscaler's weights; the averaged ones first


class RefusedError(Exception):
    """Its text is the code of a reason."""


def main(arguments: list[str]) -> int:
    """Converts one file; returns 0 if the line of JSON says everything."""
    _end_with(int(arguments[1]))
    warnings.simplefilter("ignore")
    source = sys.stdin.buffer
    with open(arguments[0], "wb") as target:
        _warm_up()
        size = source.seek(0, io.SEEK_END)
        if size > MAX_BYTES:
            return _say({"error": "convert_large"})
        confine(size)
        try:
            check_packing(source, size)
            tensors = weights_in(load(source))
            content = written(tensors)
        except RefusedError as error:
            return _say({"error": str(error)})
        except MemoryError:
            return _say({"error": "convert_memory"})
        target.write(content)
    return _say({"tensors": len(tensors)})


def check_packing(source: BinaryIO, size: int) -> None:
    """Raises RefusedError for a file of `size` bytes that is packed so that it would become larger."""
    source.seek(0)
    if zipfile.is_zipfile(source):
        source.seek(0)
        with _naming_what_is_wrong("convert_unreadable"), zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
        is_plain = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
        if not is_plain or len(entries) > MAX_TENSORS or sum(entry.file_size for entry in entries) > 2 * size:
            raise RefusedError("convert_packed")  # torch packs nothing


def confine(size: int) -> None:
    """No more files and connections than are open, and no more processes and threads (root may have them all the same);
    memory for the file a few times over; no time without an end."""
    with contextlib.suppress(ImportError):
        import resource  # not on Windows

        limits = [
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_FSIZE, 2 * MAX_BYTES),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NPROC, 0),
            (resource.RLIMIT_NOFILE, 0),
        ]
        if (used := _address_space()) is not None:
            limits.insert(0, (resource.RLIMIT_AS, used + 4 * size + EXTRA_MEMORY_BYTES))
        for what, most in limits:
            with contextlib.suppress(ValueError, OSError):  # a lower limit may stand already
                resource.setrlimit(what, (most, most))


def load(source: BinaryIO) -> Any:
    """What the file holds: tensors, numbers, texts and containers of them. Raises RefusedError."""
    source.seek(0)
    content = io.BytesIO(source.read())
    with _naming_what_is_wrong("convert_unreadable"):
        try:
            with torch.serialization.safe_globals([torch.nn.ParameterDict]):  # old textual inversions have one
                return torch.load(content, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise RefusedError("convert_code" if _CALLS.search(str(error)) else "convert_unreadable") from error
        except RuntimeError as error:
            if "TorchScript" in str(error):
                raise RefusedError("convert_code") from error
            raise


def weights_in(found: Any) -> dict[str, torch.Tensor]:
    """The tensors under the names that safetensors files have. Raises RefusedError where it is neither kind."""
    if not isinstance(found, Mapping):
        raise RefusedError("convert_foreign")
    if "string_to_param" in found:  # A1111's, and the original's
        return {EMBEDDING: _plain(next(_tensors(found["string_to_param"]), None))}
    tensors = {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}
    if tensors and set(tensors) <= set(_ENCODERS):
        return {name: _plain(value) for name, value in tensors.items()}
    if len(found) == 1 and len(tensors) == 1:  # diffusers': the word, and what it stands for
        return {EMBEDDING: _plain(next(iter(tensors.values())))}
    inner = next((found[name] for name in _WRAPPERS if isinstance(found.get(name), Mapping)), found)
    weights = {str(name): _plain(value) for name, value in inner.items() if isinstance(value, torch.Tensor)}
    if len(weights) < 2 or len(weights) > MAX_TENSORS:
        raise RefusedError("convert_foreign")
    return weights


def written(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """The safetensors file. Raises RefusedError for numbers of a type that such files do not have."""
    with _naming_what_is_wrong("convert_foreign"):
        return safetensors.torch.save(dict(tensors))


@contextlib.contextmanager
def _naming_what_is_wrong(reason: str) -> Iterator[None]:
    """Makes a library's error, which depends on the file alone, a RefusedError, or a MemoryError if it says so."""
    try:
        yield
    except (RefusedError, MemoryError, ImportError):  # what cannot be imported is no fault of the file
        raise
    except Exception as error:
        if "memory" in str(error).lower():
            raise MemoryError from error
        raise RefusedError(reason) from error


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    inner = getattr(values, "_parameters", values)  # of torch's own container
    if isinstance(inner, Mapping):
        yield from (value for value in inner.values() if isinstance(value, torch.Tensor))


def _plain(tensor: torch.Tensor | None) -> torch.Tensor:
    """A dense tensor with memory of its own, which safetensors asks for."""
    if tensor is None or tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise RefusedError("convert_foreign")
    with _naming_what_is_wrong("convert_foreign"):
        return tensor.detach().contiguous().clone()


def _end_with(parent: int) -> None:
    """Ends this process with its parent, at once if that has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the process that wanted this file has ended")


def _warm_up() -> None:
    """What is imported when something is first saved and loaded is there before no file can be opened any more. No
    threads are begun later, whose memory would count."""
    torch.set_num_threads(1)
    codecs.lookup("cp437")  # of the names in a zip
    buffer = io.BytesIO()
    torch.save({"x": torch.zeros(1)}, buffer)
    buffer.seek(0)
    safetensors.torch.save(torch.load(buffer, weights_only=True))


def _address_space() -> int | None:
    """Bytes that the process has mapped, which torch alone makes gigabytes; None where nobody tells."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        import resource

        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    return None


def _say(values: dict[str, str | int]) -> int:
    sys.stdout.write(json.dumps(values) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
