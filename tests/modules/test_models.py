"""What the sheet of models works out by itself."""

from __future__ import annotations

import pytest

from tests.modules.conftest import Modules


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("stabilityai/sd-turbo", {"repository": "stabilityai/sd-turbo"}),
        (
            "ByteDance/Hyper-SD/Hyper-SD15-4steps-lora.safetensors",
            {"repository": "ByteDance/Hyper-SD", "files": ["Hyper-SD15-4steps-lora.safetensors"]},
        ),
        ("anna/one/unet/model.safetensors", {"repository": "anna/one", "files": ["unet/model.safetensors"]}),
        ("https://huggingface.co/anna/one", {"url": "https://huggingface.co/anna/one"}),
        ("https://civitai.com/models/1?modelVersionId=2", {"url": "https://civitai.com/models/1?modelVersionId=2"}),
        ("civitai.com/models/1", {"url": "civitai.com/models/1"}),
        ("huggingface.co/anna/one", {"url": "huggingface.co/anna/one"}),
        ("what?", {"url": "what?"}),
    ],
)
def test_what_is_typed_is_a_repository_a_file_or_an_address(
    modules: Modules, text: str, asked: dict[str, object]
) -> None:
    found = modules.run("const { askedFor } = await at('models/get.js'); return askedFor(given);", text)
    assert found == asked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/anna/one.safetensors", True),
        ("~/one.safetensors", True),
        ("C:\\models\\one.safetensors", True),
        ('"/home/anna/my one.safetensors"', True),
        ("\\\\server\\one.safetensors", True),
        ("anna/one", False),
        ("https://civitai.com/models/1", False),
        ("huggingface.co/anna/one", False),
    ],
)
def test_what_is_typed_is_a_path_on_this_computer(modules: Modules, text: str, expected: bool) -> None:
    assert modules.run("const { isPath } = await at('models/local_file.js'); return isPath(given);", text) is expected
