"""ComfyUI's graphs: `prompt` (nodes as they ran) and `workflow` (as they were drawn), walked back from the picture.

From a node that saves or shows to the sampler before it, and from there to prompts, checkpoint and size. Follows what
the usual nodes are called; a node that nobody knows is passed through where it has an input of the right name. Graphs
may have circles and be as large as they like: no node is entered twice, and only so many. Knows no settings of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_NODES = 5_000
_MAX_VISITED = 2_000
_OUTPUTS = ("saveimage", "previewimage", "image save", "save image", "saveanimated")
_SAMPLERS = ("KSampler", "KSamplerAdvanced")
_EMPTY_LATENTS = ("EmptyLatentImage", "EmptySD3LatentImage")
_TEXT_INPUTS = ("text", "string", "value", "prompt", "text_g", "clip_l", "t5xxl", "text_l")
_VALUE_INPUTS = ("value", "seed", "noise_seed", "int", "float", "number", "string", "text")
# The widgets of the nodes that matter, in the order in which a workflow keeps them; "" is one of its page's own.
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler", "start_at_step"),
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "VAELoader": ("vae_name",),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
}

Node = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComfyPicture:
    """What made the picture. `values` by ComfyUI's own names (`steps`, `cfg`, `sampler_name`, …, as JSON had them),
    `loras` as name and strength; `samplers` is how many there are on the way, of which the first in time is told."""

    values: dict[str, Any]
    loras: tuple[tuple[str, str], ...] = ()
    samplers: int = 1
    has_init_image: bool = False


@dataclass
class _Graph:
    nodes: dict[str, Node]
    visited: int = field(default=0)

    def kind(self, id: str) -> str:
        return str(self.nodes[id].get("class_type", ""))

    def inputs(self, id: str) -> dict[str, Any]:
        inputs = self.nodes[id].get("inputs")
        return inputs if isinstance(inputs, dict) else {}

    def source(self, value: Any) -> str | None:
        """The node that a link (`[node, slot]`) comes from."""
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
            return str(value[0]) if str(value[0]) in self.nodes else None
        return None

    def upstream(self, start: str, names: tuple[str, ...] = ()) -> Iterator[str]:
        """The nodes before `start`, nearest first and each once; with `names`, through the first of these inputs that a
        node has."""
        waiting, seen = [start], {start}
        for id in waiting:
            self.visited += 1
            if self.visited > _MAX_VISITED:
                return
            yield id
            inputs = self.inputs(id)
            wanted = [inputs[name] for name in names if self.source(inputs.get(name))][:1] if names else inputs.values()
            for value in wanted:
                before = self.source(value)
                if before is not None and before not in seen:
                    seen.add(before)
                    waiting.append(before)

    def value(self, id: str, name: str) -> Any:
        """An input's value, also where another node gives it; None where that cannot be followed."""
        value = self.inputs(id).get(name)
        names = _TEXT_INPUTS if name in _TEXT_INPUTS else _VALUE_INPUTS
        for _ in range(32):
            before = self.source(value)
            if before is None:
                break
            inputs = self.inputs(before)
            value = next((inputs[known] for known in names if known in inputs), None)
        return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def read_prompt(graph: Any) -> ComfyPicture | None:
    """From the JSON of `prompt`: nodes by id, each with `class_type` and `inputs`; None where it leads nowhere."""
    if not isinstance(graph, dict) or len(graph) > MAX_NODES:
        return None
    nodes = {str(id): node for id, node in graph.items() if isinstance(node, dict) and "class_type" in node}
    return _read(_Graph(nodes))


def read_workflow(workflow: Any) -> ComfyPicture | None:
    """From the JSON of `workflow`: `nodes` with `type` and `widgets_values`, joined by `links`."""
    if not isinstance(workflow, dict):
        return None
    nodes, links = workflow.get("nodes"), workflow.get("links")
    if not isinstance(nodes, list) or not isinstance(links, list) or len(nodes) + len(links) > 4 * MAX_NODES:
        return None
    origins = {
        link[0]: [str(link[1]), link[2]]
        for link in links
        if isinstance(link, list) and len(link) >= 3 and all(isinstance(part, int | str) for part in link[:3])
    }
    return _read(_Graph({str(node.get("id")): _as_ran(node, origins) for node in nodes if isinstance(node, dict)}))


def _as_ran(node: Node, origins: Mapping[Any, list[Any]]) -> Node:
    """A drawn node as `prompt` would have it; the widgets of nodes that nobody knows stay unnamed."""
    kind, values = str(node.get("type", "")), node.get("widgets_values")
    names = _WIDGETS.get(kind, ())
    inputs = dict(zip(names, values, strict=False)) if isinstance(values, list) else {}
    if isinstance(values, list) and not names and values:
        inputs["value"] = values[0]  # a primitive
    listed = node.get("inputs")
    for given in listed if isinstance(listed, list) else []:
        link = given.get("link") if isinstance(given, dict) else None
        if isinstance(link, int | str) and link in origins:
            inputs[str(given.get("name"))] = origins[link]
    return {"class_type": kind, "inputs": inputs}


def _read(graph: _Graph) -> ComfyPicture | None:
    outputs = [id for id in graph.nodes if graph.kind(id).casefold().startswith(_OUTPUTS)]
    for output in outputs:
        samplers = [id for id in graph.upstream(output) if graph.kind(id) in _SAMPLERS]
        if samplers:
            return _read_sampler(graph, samplers)
    return None


def _read_sampler(graph: _Graph, samplers: list[str]) -> ComfyPicture:
    """Of several samplers the one that begins with noise: those after it only refine its picture."""
    graph.visited = 0
    latents = {id: list(graph.upstream(id, ("latent_image", "samples", "latent"))) for id in samplers}
    empty = {id: _first(graph, latents[id], _EMPTY_LATENTS) for id in samplers}
    sampler = next((id for id in reversed(samplers) if empty[id]), samplers[0])
    seed = "noise_seed" if graph.kind(sampler) == "KSamplerAdvanced" else "seed"
    values = {name: graph.value(sampler, name) for name in ("steps", "cfg", "sampler_name", "scheduler", "denoise")}
    values["seed"] = graph.value(sampler, seed)
    if latent := empty[sampler]:
        values |= {name: graph.value(latent, name) for name in ("width", "height", "batch_size")}
    clip_from = sampler
    for name in ("negative", "positive"):
        encoder = _encoder(graph, sampler, name)
        if encoder is not None:
            clip_from = encoder
            texts = (graph.value(encoder, given) for given in _TEXT_INPUTS)
            values[name] = next((text for text in texts if isinstance(text, str)), None)
    models = list(graph.upstream(sampler, ("model", "unet")))
    clips = list(graph.upstream(clip_from, ("clip",)))
    loader = next((id for id in (*models, *clips) if "ckpt_name" in graph.inputs(id)), None)
    values["ckpt_name"] = graph.value(loader, "ckpt_name") if loader else None
    last_layer = _first(graph, clips, ("CLIPSetLastLayer",))
    values["stop_at_clip_layer"] = graph.value(last_layer, "stop_at_clip_layer") if last_layer else None
    loras = [id for id in dict.fromkeys((*models, *clips)) if isinstance(graph.value(id, "lora_name"), str)]
    return ComfyPicture(
        values={name: value for name, value in values.items() if value is not None},
        loras=tuple((str(graph.value(id, "lora_name")), str(graph.value(id, "strength_model"))) for id in loras),
        samplers=len(samplers),
        has_init_image=not empty[sampler],
    )


def _first(graph: _Graph, ids: list[str], kinds: tuple[str, ...]) -> str | None:
    return next((id for id in ids if graph.kind(id) in kinds), None)


def _encoder(graph: _Graph, sampler: str, name: str) -> str | None:
    """The nearest node that encodes the text behind `positive` or `negative`."""
    start = graph.source(graph.inputs(sampler).get(name))
    if start is None:
        return None
    through = (name, "conditioning", "conditioning_1", "conditioning_to", "cond1")
    return next((id for id in graph.upstream(start, through) if "TextEncode" in graph.kind(id)), None)
