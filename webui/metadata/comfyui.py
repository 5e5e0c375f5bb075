"""How a picture was made, from ComfyUI's graph: followed back from the node that saves it to the sampler that began
with noise, and from there to prompts, checkpoint and size.

Nodes are recognised by what they do, which shows in the names of their inputs; of the thousands of classes, hardly any
is known by name. Whatever only the running graph could tell is listed as not followed. No node is entered twice on one
way, and the number of nodes is limited. Knows no settings of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webui.metadata.comfyui_graph import Graph, Link, Node, graph_of_prompt, graph_of_workflow
from webui.metadata.comfyui_texts import Prompts

_MAX_VISITED = 20_000
_MAX_HOPS = 32
_MAX_OUTPUTS = 100
_MAX_SAMPLERS = 50
_LATENTS = re.compile(r"latent|samples|pixels|image|any", re.IGNORECASE)
_PICTURES = re.compile(r"vaeencode|loadimage|loadlatent|load image", re.IGNORECASE)
_SIDES = ("width", "height")
_SIZE = re.compile(r"(\d{2,5})\s*[x×]\s*(\d{2,5})")
_MODELS = re.compile(r"model|unet|pipe|guider|context|ctx", re.IGNORECASE)
_CLIPS = re.compile(r"clip|pipe|context|ctx", re.IGNORECASE)
_CHECKPOINTS = ("ckpt_name", "unet_name", "base_ckpt_name", "model_name")
# What a setting is called, and the input of the sampler that leads to it where another node has it.
_SETTINGS = {
    "steps": (("steps",), ("sigmas",)),
    "cfg": (("cfg", "cfg_conds"), ("guider",)),
    "sampler_name": (("sampler_name",), ("sampler",)),
    "scheduler": (("scheduler",), ("sigmas",)),
    "denoise": (("denoise",), ("sigmas",)),
    "seed": (("seed", "noise_seed"), ("noise",)),
}
_SCHEDULER_CLASS = re.compile(r"(\w+?)(Sampling)?Scheduler\w*")
_NEVER_ABSENT = {"positive": "prompt", "steps": "steps", "seed": "seed"}
_FED = ("model", "positive", "guider", "pipe", "latent_image")  # by links, unlike a node that only keeps settings
_VALUES = ("value", "seed", "noise_seed", "int", "float", "number", "string", "text")
_HOLDERS = re.compile(r"guider|pipe|context|ctx", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ComfyPicture:
    """How a picture was made.

    - `values`: by ComfyUI's own names (`steps`, `cfg`, `sampler_name`, …), as they were in the JSON.
    - `loras`: name and strength of each.
    - `samplers`: how many there are on the way; `values` are those of the first in time.
    - `unfollowed`: values that only the running graph knows.
    - `joined`: how many texts a prompt was made of, if they were not simply joined.
    - `others`: what an encoder of several texts was given besides the first.
    """

    values: dict[str, Any]
    loras: tuple[tuple[str, str], ...] = ()
    samplers: int = 1
    has_init_image: bool = False
    unfollowed: tuple[str, ...] = ()
    joined: int = 0
    others: tuple[tuple[str, str], ...] = ()


def read_prompt(prompt: Any) -> ComfyPicture | None:
    """Reads the JSON of `prompt`, or a call of the API; None if it leads to no picture."""
    graph = graph_of_prompt(prompt)
    return _Reading(graph).picture() if graph else None


def read_workflow(workflow: Any) -> ComfyPicture | None:
    """Reads the JSON of `workflow`; None if it leads to no picture."""
    graph = graph_of_workflow(workflow)
    return _Reading(graph).picture() if graph else None


class _Reading:
    """One graph, and how much of it has been followed."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._visited = 0
        self._unfollowed: list[str] = []  # settings, as ComfyUI calls them

    def picture(self) -> ComfyPicture | None:
        """The picture of the first output that a sampler leads to."""
        for output in self._outputs():
            samplers = [id for id in self._upstream(output) if _is_sampler(self._graph[id])][:_MAX_SAMPLERS]
            if samplers:
                return self._read(samplers)
        return None

    def _outputs(self) -> list[str]:
        """The nodes whose outputs nothing uses: first those that save, then those that show, then all others."""
        taken = {link.node for node in self._graph.values() for link in node.inputs.values() if isinstance(link, Link)}

        def rank(id: str) -> int:
            kind = self._graph[id].kind.casefold()
            return 0 if "save" in kind else 1 if "preview" in kind else 2

        ends = [id for id, node in self._graph.items() if id not in taken or "save" in node.kind.casefold()]
        return sorted(ends, key=rank)[:_MAX_OUTPUTS]

    def _upstream(self, *starts: str, through: re.Pattern[str] | None = None, stop: bool = False) -> Iterator[str]:
        """The nodes before `starts`, including these, nearest first and each once; with `through`, only by inputs with
        such names, with `stop`, not beyond a sampler.
        """
        waiting = list(starts)
        seen = set(waiting)
        for id in waiting:
            self._visited += 1
            if self._visited > _MAX_VISITED:
                return
            yield id
            if stop and id not in starts and _is_sampler(self._graph[id]):
                continue
            for name, value in self._graph[id].inputs.items():
                if isinstance(value, Link) and value.node not in seen and (through is None or through.search(name)):
                    seen.add(value.node)
                    waiting.append(value.node)

    def _read(self, samplers: list[str]) -> ComfyPicture:
        """Reads the settings. Of several samplers, the one that begins with noise counts: later ones only refine its
        picture.
        """
        self._visited = 0
        latents = {id: list(self._upstream(id, through=_LATENTS, stop=True)) for id in samplers}
        first = [id for id in samplers if not any(_is_sampler(self._graph[one]) for one in latents[id] if one != id)]
        sampler = (first or samplers)[-1]
        values = {name: self._setting(sampler, name) for name in _SETTINGS}
        has_init_image = any(
            "pixels" in self._graph[id].inputs or _PICTURES.search(self._graph[id].kind) for id in latents[sampler]
        )
        if not has_init_image:
            values |= self._size(latents[sampler][1:])
        prompts, node = Prompts(self._graph), self._graph[sampler]
        holders = list(self._upstream(sampler, through=_HOLDERS, stop=True))
        for name in ("negative", "positive"):
            given = (_conditioning(self._graph[id], name) for id in holders)
            values[name] = prompts.of(next((links for links in given if links), []), name)
        if values.get("cfg") in (None, 1, 1.0) and prompts.guidance is not None:
            values["cfg"] = prompts.guidance  # a distilled model's
        models = list(self._upstream(sampler, through=_MODELS, stop=True))
        clips = list(self._upstream(*prompts.encoders, through=_CLIPS, stop=True))
        values["ckpt_name"] = self._first([*models, *clips], _CHECKPOINTS)
        values["stop_at_clip_layer"] = self._first(clips, ("stop_at_clip_layer", "clip_skip"))
        start, steps = self._value(node, "start_at_step"), values.get("steps")
        if isinstance(start, int) and isinstance(steps, int) and 0 < start < steps and values.get("denoise") is None:
            values["denoise"] = round(1 - start / steps, 4)
        missing = [field for name, field in _NEVER_ABSENT.items() if values.get(name) is None]
        return ComfyPicture(
            values={name: value for name, value in values.items() if value is not None},
            loras=tuple(self._loras(dict.fromkeys((*models, *clips)))),
            samplers=len(samplers),
            has_init_image=has_init_image,
            unfollowed=tuple(dict.fromkeys((*missing, *self._unfollowed, *prompts.unfollowed))),
            joined=prompts.joined,
            others=tuple(prompts.others),
        )

    def _setting(self, sampler: str, name: str) -> Any:
        """A sampler's setting: its own, or that of the node which gives it sigmas, noise, guidance or the rule."""
        names, ways = _SETTINGS[name]
        through = re.compile("|".join((*ways, "pipe", "context", "ctx", "options", "settings")))
        for id in self._upstream(sampler, through=through, stop=True):
            node = self._graph[id]
            if id != sampler and _is_sampler(node):
                continue
            said = next((one for one in names if one in node.inputs), None)
            if said is not None:
                value = self._value(node, said)
                if value is None:
                    self._unfollowed.append(name)
                return value
            if name == "scheduler" and (found := _SCHEDULER_CLASS.match(node.kind)):
                return _words(found[1])
            if name == "sampler_name" and id != sampler and node.kind.startswith("Sampler"):
                return _words(node.kind.removeprefix("Sampler"))
        return None

    def _size(self, latents: list[str]) -> dict[str, Any]:
        """The size of the empty latents: that of the first node that gives a size and takes no picture."""
        for id in latents:
            node = self._graph[id]
            if any(isinstance(value, Link) and _LATENTS.search(name) for name, value in node.inputs.items()):
                continue
            sides = {one: next((name for name in node.inputs if name.endswith(one)), None) for one in _SIDES}
            found = {side: self._value(node, name) for side, name in sides.items() if name is not None}
            if all(value is None for value in found.values()):
                told = next((_SIZE.search(value) for value in node.inputs.values() if isinstance(value, str)), None)
                found = {"width": int(told[1]), "height": int(told[2])} if told else found
            if found:
                if None in found.values():
                    self._unfollowed.append("size")
                    found = {}
                return found | {"batch_size": self._value(node, "batch_size")}
        return {}

    def _loras(self, ids: dict[str, None]) -> Iterator[tuple[str, str]]:
        for id in ids:
            inputs = self._graph[id].inputs
            for name, value in list(inputs.items())[:200]:
                if isinstance(value, dict) and isinstance(value.get("lora"), str) and value.get("on", True):
                    yield value["lora"], str(value.get("strength"))  # rgthree's loader of many
                elif re.fullmatch(r"lora_name(_\d+)?", name) and isinstance(value, str) and value != "None":
                    end = name.removeprefix("lora_name")
                    strengths = (f"strength_model{end}", f"model_str{end}", f"lora_wt{end}", f"lora_strength{end}")
                    yield value, str(next((inputs[one] for one in strengths if one in inputs), None))

    def _first(self, ids: list[str], names: tuple[str, ...]) -> Any:
        found = (self._value(self._graph[id], name) for id in ids for name in names if name in self._graph[id].inputs)
        return next((value for value in found if value is not None), None)

    def _value(self, node: Node, name: str) -> Any:
        """The number or text of an input, also if another node provides it; None if that cannot be followed."""
        value = node.inputs.get(name)
        for _ in range(_MAX_HOPS):
            if not isinstance(value, Link):
                break
            before = self._graph[value.node]
            known = next((one for one in (name, *_VALUES) if one in before.inputs), None)
            lone = [one for one in before.inputs.values() if isinstance(one, Link | int | float)]
            if known is not None:
                value = before.inputs[known]
            elif len(lone) == 1 and (not isinstance(lone[0], Link) or "reroute" in before.kind.casefold()):
                value = lone[0]
            else:
                return None
        return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _conditioning(node: Node, name: str) -> list[Link]:
    """What a sampler, a guider or a pipe is given as the prompt or the negative prompt."""
    names = ("negative",) if name == "negative" else ("positive", "conditioning", "cond1", "cond2", "cond")
    return [link for one in names if isinstance(link := node.inputs.get(one), Link)]


def _words(kind: str) -> str:
    """`AlignYourSteps` → `align_your_steps`, `DPMPP_2M_SDE` → `dpmpp_2m_sde`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).casefold()


def _is_sampler(node: Node) -> bool:
    """Whether a node removes noise: it takes steps or sigmas, and a model or a guider."""
    names = node.inputs.keys()
    if "sigmas" in names:
        return bool(names & {"guider", "latent_image", "latent", "samples"})
    takes_model = any(isinstance(node.inputs.get(name), Link) for name in _FED)
    return "steps" in names and bool(names & {"sampler_name", "sampler", "cfg"}) and takes_model
