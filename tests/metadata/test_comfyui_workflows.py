"""ComfyUI's graphs as they were drawn: what was muted or bypassed, named and unnamed widgets, subgraphs."""

from __future__ import annotations

import json
from typing import Any

from webui.metadata.reading import Inspection, read_pasted


def find(hash: str | None, name: str | None) -> tuple[str, bool | None] | None:
    return ("starter", None) if name == "starter.safetensors" else None


def drawn(*nodes: dict[str, Any], links: list[Any], **more: Any) -> Inspection:
    return read_pasted(json.dumps({"nodes": list(nodes), "links": links, **more}), find)


def box(id: int, kind: str, *widgets: Any, mode: int = 0, **inputs: int) -> dict[str, Any]:
    """A drawn node; its inputs are the numbers of links, and all of one type."""
    given = [{"name": name, "link": link, "type": "T"} for name, link in inputs.items()]
    outputs = [{"name": "out", "type": "T"}]
    return {"id": id, "type": kind, "mode": mode, "widgets_values": list(widgets), "inputs": given, "outputs": outputs}


SAMPLER = [7, "fixed", 12, 5, "euler", "karras", 1]
LINKS = [[n, n, 0, 0, 0, "T"] for n in range(1, 20)]  # link n comes out of node n


def test_bypassed_and_muted_nodes_did_not_run() -> None:
    found = drawn(
        box(1, "KSampler", *SAMPLER, model=2, positive=3, latent_image=4),
        box(2, "LoraLoader", "ink.safetensors", 0.7, 1, mode=4, model=5),
        box(3, "CLIPTextEncode", "a lake"),
        box(4, "EmptyLatentImage", 128, 64, 1),
        box(5, "CheckpointLoaderSimple", "starter.safetensors"),
        box(9, "SaveImage", mode=2, images=8),
        box(8, "KSampler", 1, "fixed", 99, 5, "ddim", "simple", 1, mode=2, model=5, positive=3, latent_image=4),
        box(10, "SaveImage", images=8),
        box(11, "SaveImage", images=1),
        links=LINKS,
    )
    assert (found.settings["steps"], found.settings["seed"], found.settings["checkpoint"]) == (12, 7, "starter")
    assert found.unknown == ()


def test_reroutes_and_pairs_of_set_and_get() -> None:
    found = drawn(
        box(1, "KSampler", *SAMPLER, model=2, positive=3, latent_image=4),
        box(2, "GetNode", "my model"),
        box(6, "SetNode", "my model", MODEL=5),
        box(5, "CheckpointLoaderSimple", "starter.safetensors"),
        box(3, "Reroute", any=7),
        box(7, "CLIPTextEncode", "a lake"),
        box(4, "EmptyLatentImage", 128, 64, 1),
        box(11, "SaveImage", images=1),
        links=LINKS,
    )
    assert (found.settings["prompt"], found.settings["checkpoint"]) == ("a lake", "starter")


def test_widgets_that_are_named_as_inputs() -> None:
    names = ["text", "seed", "steps", "cfg", "sampler_name", "scheduler"]
    widgets = [{"name": name, "link": None, "widget": {"name": name}} for name in names]
    mine = {"id": 1, "type": "MySampler", "widgets_values": ["a lake", 7, "randomize", 12, 5, "euler", "karras"]}
    mine["inputs"] = [*widgets, {"name": "model", "link": 5}, {"name": "positive", "link": 3}]
    found = drawn(
        mine, box(3, "CLIPTextEncode", "a lake"), box(5, "UNETLoader", "x"), box(9, "SaveImage", images=1), links=LINKS
    )
    assert (found.settings["seed"], found.settings["steps"], found.settings["sigmas"]) == (7, 12, "karras")


def subgraph(id: str, *nodes: dict[str, Any], links: list[Any], inputs: tuple[str, ...]) -> dict[str, Any]:
    named = [{"id": name, "name": name, "type": "T"} for name in inputs]
    joined = [
        dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot"), one, strict=True)) for one in links
    ]
    return {"id": id, "nodes": list(nodes), "links": joined, "inputs": named, "outputs": [{"name": "out"}]}


def test_subgraphs_are_unfolded() -> None:
    inner = subgraph("text", box(1, "CLIPTextEncode", "a lake"), links=[[1, 1, 0, -20, 0]], inputs=())
    outer = subgraph(
        "sampling",
        box(1, "KSampler", *SAMPLER, model=1, positive=2, latent_image=3),
        box(2, "text"),
        box(3, "EmptyLatentImage", 128, 64, 1),
        links=[[1, -10, 0, 1, 0], [2, 2, 0, 1, 1], [3, 3, 0, 1, 2], [4, 1, 0, -20, 0]],
        inputs=("model",),
    )
    found = drawn(
        box(1, "sampling", model=5),
        box(5, "CheckpointLoaderSimple", "starter.safetensors"),
        box(9, "SaveImage", images=1),
        links=LINKS,
        definitions={"subgraphs": [outer, inner]},
    )
    assert found.settings == {
        "task": "text_to_image", "prompt": "a lake", "seed": 7, "steps": 12, "guidance_scale": 5.0, "width": 128,
        "height": 64, "num_images": 1, "scheduler": "euler", "sigmas": "karras", "checkpoint": "starter",
    }  # fmt: skip


def test_subgraphs_that_hold_themselves_or_too_many_come_to_an_end() -> None:
    loop = subgraph("loop", box(1, "loop"), links=[[1, 1, 0, -20, 0]], inputs=())
    wide = [subgraph(f"s{n}", *(box(i, f"s{n + 1}") for i in range(20)), links=[], inputs=()) for n in range(12)]
    for kind, definitions in (("loop", [loop]), ("s0", wide)):
        found = drawn(box(1, kind), box(2, "SaveImage", images=1), links=LINKS, definitions={"subgraphs": definitions})
        assert found.source == "none"
