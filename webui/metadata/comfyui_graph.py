"""ComfyUI's two kinds of JSON as one graph: `prompt` (nodes as they ran) and `workflow` (as they were drawn).

Of a workflow, only what ran is kept: muted nodes are left out, bypassed ones pass their inputs on, and so do reroutes,
pairs of Set and Get, and subgraphs, which are unfolded. Graphs may have cycles and any size. Knows no node's meaning,
except for those that only pass something on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

MAX_NODES = 5_000
_MAX_SLOTS = 128  # of a drawn node, and as many widgets
_MAX_DEPTH = 16  # of subgraphs in one another
_MAX_HOPS = 64  # of reroutes in a row
_MUTED, _BYPASSED = 2, 4  # `mode` of a drawn node, of LiteGraph
_SUBGRAPH_INPUTS, _SUBGRAPH_OUTPUTS = "-10", "-20"  # the ids of a subgraph's own two ends
_AFTER_SEED = ("fixed", "increment", "decrement", "randomize")  # a widget of the page's own behind each seed
# The widgets of the nodes that matter, in the order in which a workflow from before 2025 keeps them, without names.
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler", "start_at_step"),
    "SamplerCustom": ("add_noise", "noise_seed", "cfg"),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "KarrasScheduler": ("steps", "sigma_max", "sigma_min", "rho"),
    "ExponentialScheduler": ("steps", "sigma_max", "sigma_min"),
    "RandomNoise": ("noise_seed",),
    "CFGGuider": ("cfg",),
    "FluxGuidance": ("guidance",),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSDXL": ("width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l"),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "UnetLoaderGGUF": ("unet_name",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "VAELoader": ("vae_name",),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "LoadImage": ("image",),
    "StringConcatenate": ("string_a", "string_b", "delimiter"),
}


@dataclass(frozen=True)
class Link:
    """Output number `slot` of a node."""

    node: str
    slot: int


@dataclass
class Node:
    """`inputs` are links, or values as in the JSON. `hands_on` is for a node that only passes things along: what comes
    out of each of its outputs.
    """

    kind: str
    inputs: dict[str, Any] = field(default_factory=dict)
    hands_on: dict[int, Any] | None = None


Graph = dict[str, Node]


def graph_of_prompt(prompt: Any) -> Graph | None:
    """Reads nodes by id, each with `class_type` and `inputs`; also a call of ComfyUI's API that has them in `prompt`,
    or an entry of its history. None for anything else, and for more than is sensible.
    """
    if isinstance(prompt, dict):
        prompt = prompt.get("prompt", prompt.get("output", prompt))
    if isinstance(prompt, list) and len(prompt) > 2:
        prompt = prompt[2]
    if not isinstance(prompt, dict) or len(prompt) > MAX_NODES:
        return None
    graph: Graph = {}
    for id, node in prompt.items():
        if isinstance(node, dict) and "class_type" in node:
            inputs = node.get("inputs")
            read = {name: _link(value) or value for name, value in inputs.items()} if isinstance(inputs, dict) else {}
            graph[str(id)] = Node(str(node["class_type"]), read)
    return _resolved(graph) or None


def graph_of_workflow(workflow: Any) -> Graph | None:
    """Reads `nodes` with `type` and `widgets_values`, joined by `links`; None for anything else, and for too much."""
    if not isinstance(workflow, dict) or not isinstance(workflow.get("nodes"), list):
        return None
    definitions = workflow.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    subgraphs = {str(one.get("id")): one for one in _dicts(listed)}
    unfolding = _Unfolding(subgraphs)
    unfolding.add(workflow, "", 0)
    return None if unfolding.is_too_much else _resolved(unfolding.graph) or None


def _link(value: Any) -> Link | None:
    """`[node, slot]`, as in a prompt."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int) and type(value[1]) is int:
        return Link(str(value[0]), value[1])
    return None


def _dicts(listed: Any) -> Iterator[dict[str, Any]]:
    yield from (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))


def _slots(node: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The `inputs` or `outputs` of a drawn node or a subgraph, which may occur in a graph thousands of times."""
    listed = node.get(name)
    return list(_dicts(listed[:_MAX_SLOTS])) if isinstance(listed, list) else []


def _resolved(graph: Graph) -> Graph:
    """The same without the nodes that only pass things on, and without links that lead nowhere."""

    def end_of(value: Any) -> Any:
        for _ in range(_MAX_HOPS):
            if not isinstance(value, Link):
                return value
            node = graph.get(value.node)
            if node is None:
                return None
            if node.hands_on is None:
                return value
            value = node.hands_on.get(value.slot)
        return None

    return {
        id: Node(node.kind, {name: end for name, value in node.inputs.items() if (end := end_of(value)) is not None})
        for id, node in graph.items()
        if node.hands_on is None
    }


@dataclass
class _Unfolding:
    """Puts a workflow and its subgraphs into one graph, under ids like those of a prompt (`12:3`)."""

    subgraphs: Mapping[str, dict[str, Any]]
    graph: Graph = field(default_factory=dict)
    is_too_much: bool = False
    _links: int = 0

    def add(self, level: Mapping[str, Any], prefix: str, depth: int) -> None:
        """Adds the nodes of one level; a subgraph's own ends are `<prefix>-10`, which its instance has put there, and
        `<prefix>-20`.
        """
        nodes, links = list(_dicts(level.get("nodes"))), level.get("links")
        links = links if isinstance(links, list) else []
        self._links += len(links)
        if depth > _MAX_DEPTH or len(nodes) + len(self.graph) > MAX_NODES or self._links > 4 * MAX_NODES:
            self.is_too_much = True
            return
        origins: dict[Any, Link] = {}
        ends: dict[int, Any] = {}
        for one in links:
            id, node, slot, target, target_slot = _parts(one)
            if isinstance(id, int | str) and isinstance(node, int | str) and isinstance(slot, int):
                origins[id] = Link(f"{prefix}{node}", slot)
                if str(target) == _SUBGRAPH_OUTPUTS and isinstance(target_slot, int):
                    ends[target_slot] = origins[id]
        if depth:
            self.graph[f"{prefix}{_SUBGRAPH_OUTPUTS}"] = Node("", hands_on=ends)
        setters = {
            f"{_first_widget(node)}": next(iter(_links_in(node, origins).values()), None)
            for node in nodes
            if str(node.get("type")).startswith("SetNode")
        }
        for node in nodes:
            if node.get("mode") != _MUTED and not self.is_too_much:
                self._add_node(node, origins, setters, f"{prefix}{node.get('id')}", depth)

    def _add_node(
        self, node: dict[str, Any], origins: Mapping[Any, Link], setters: Mapping[str, Any], id: str, depth: int
    ) -> None:
        kind, linked = str(node.get("type", "")), _links_in(node, origins)
        if node.get("mode") == _BYPASSED:
            self.graph[id] = Node(kind, hands_on=_bypassed(node, origins))
        elif kind.startswith("GetNode"):
            self.graph[id] = Node(kind, hands_on={0: setters.get(f"{_first_widget(node)}")})
        elif kind.startswith(("Reroute", "SetNode")):
            self.graph[id] = Node(kind, hands_on={0: next(iter(linked.values()), None)})
        elif kind in self.subgraphs:
            values = _widgets(node) | linked
            names = [str(one.get("name")) for one in _slots(self.subgraphs[kind], "inputs")]
            given = {slot: values.get(name) for slot, name in enumerate(names)}
            self.graph[f"{id}:{_SUBGRAPH_INPUTS}"] = Node("", hands_on=given)
            outputs = _slots(self.subgraphs[kind], "outputs")
            ends = {slot: Link(f"{id}:{_SUBGRAPH_OUTPUTS}", slot) for slot in range(len(outputs))}
            self.graph[id] = Node(kind, hands_on=ends)
            self.add(self.subgraphs[kind], f"{id}:", depth + 1)
        else:
            self.graph[id] = Node(kind, _widgets(node) | linked)


def _parts(link: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Id, origin and its slot, target and its slot: a list in a workflow, an object in a subgraph."""
    if isinstance(link, dict):
        names = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
        id, node, slot, target, target_slot = (link.get(name) for name in names)
        return id, node, slot, target, target_slot
    if isinstance(link, list) and len(link) >= 3:
        id, node, slot, target, target_slot = (*link, None, None)[:5]
        return id, node, slot, target, target_slot
    return None, None, None, None, None


def _links_in(node: Mapping[str, Any], origins: Mapping[Any, Link]) -> dict[str, Link]:
    """The linked inputs of a drawn node, by name."""
    found = {}
    for given in _slots(node, "inputs"):
        link = given.get("link")
        if isinstance(link, int | str) and link in origins:
            found[str(given.get("name"))] = origins[link]
    return found


def _bypassed(node: Mapping[str, Any], origins: Mapping[Any, Link]) -> dict[int, Any]:
    """What comes out of a bypassed node: for each output the input of its type, preferably the one
    in the same place.
    """
    found: dict[int, Any] = {}
    inputs = [(str(one.get("type")), one.get("link")) for one in _slots(node, "inputs")]
    for slot, output in enumerate(_slots(node, "outputs")):
        for type, link in (*inputs[slot : slot + 1], *inputs):
            if type == str(output.get("type")) and isinstance(link, int | str) and link in origins:
                found[slot] = origins[link]
                break
    return found


def _widgets(node: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed into a drawn node, by name if the names are known; a single value is called `value`."""
    values = node.get("widgets_values")
    if isinstance(values, dict):
        return {str(name): value for name, value in islice(values.items(), _MAX_SLOTS)}
    if not isinstance(values, list):
        return {}
    listed = [str(one["widget"].get("name")) for one in _slots(node, "inputs") if isinstance(one.get("widget"), dict)]
    known = _WIDGETS.get(str(node.get("type")), ())
    names = listed if len(listed) >= len(known) else known
    found: dict[str, Any] = {}
    rest, before = iter(values[: 2 * _MAX_SLOTS]), ""
    for name in names:
        value = next(rest, None)
        if before in ("seed", "noise_seed") and isinstance(value, str) and value in _AFTER_SEED:
            value = next(rest, None)
        found[name] = value
        before = name
    if not names and values:
        found["value"] = values[0]  # a primitive
    loras = [value for value in values[:100] if isinstance(value, dict) and "lora" in value]
    return found | {f"lora_{number}": lora for number, lora in enumerate(loras, 1)}


def _first_widget(node: Mapping[str, Any]) -> Any:
    values = node.get("widgets_values")
    return values[0] if isinstance(values, list) and values else None
