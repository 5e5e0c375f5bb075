"""What a person asks of a diffusion: text to image and image to image, with walks, branches and looks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import (
    AfterValidator,
    Field,
    Strict,
    model_validator,
)
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from webui.capabilities import Capability, needs
from webui.requests import infotext_names
from webui.requests.field_controls import Control, Group, WithoutControl
from webui.requests.field_rules import at_least, at_most, inactive, is_set, negated, offers_only, one_of
from webui.requests.field_types import (
    _FROM_NOISE,
    _GUIDANCE_OFF,
    _NOTHING_MASKED,
    _OF_A_PART,
    CONFIG,
    MAX_LOOK_NAME,
    MAX_LOOKS,
    MAX_SEED,
    SCHEMA_VERSION,
    SIDES,
    Added,
    CheckpointId,
    Decoder,
    GuidanceScale,
    Looks,
    Picture,
    Pixels,
    Prompt,
    Scheduler,
    Scope,
    Seed,
    Sigmas,
    Steps,
    VaeId,
    _check_template,
)
from webui.requests.infotext_names import infotext
from webui.requests.upgrades import upgraded
from webui.schedulers import (
    RANGED_SIGMAS,
    SCHEDULERS,
    canonical_scheduler,
    canonical_sigmas,
)


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class ResolvedPrompt:
    """The prompts of one image, with every wildcard and choice in them settled by its seed."""

    prompt: Prompt = ""
    negative_prompt: Prompt = ""


ResolvedPrompts = Annotated[tuple[ResolvedPrompt, ...], Field(max_length=16)]


Share = Annotated[float, Strict(), Ge(0.0), Le(1.0), Field(json_schema_extra={"step": 0.05})]


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class WalkEnd:
    """The other end of a walk: what differs from the first picture. Its prompts are used as they stand."""

    prompt: Prompt = ""
    negative_prompt: Prompt = ""
    seed: Annotated[int, Strict(), Ge(0), Le(MAX_SEED)]
    variation_seed: Annotated[int, Strict(), Ge(0), Le(MAX_SEED)] | None = None
    variation_strength: Share = 0.0


LookTexts = Annotated[tuple["LookText", ...], Field(max_length=MAX_LOOKS)]
MAX_BRANCHES = 8  # one off another: each carries all that it came from


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class LookText:
    """A look's text when the request was settled; `prompt` contains `{prompt}` once, where the prompt goes."""

    name: Annotated[str, Field(max_length=MAX_LOOK_NAME)]
    prompt: Annotated[Prompt, AfterValidator(_check_template)] = "{prompt}"
    negative_prompt: Prompt = ""


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class Branch:
    """Where a picture branches off another one: after `step` (from 1) of the single image that `origin` makes.

    It contains the whole request of its origin, so the branch can be made again from it alone.
    """

    origin: Annotated[TextToImage | ImageToImage, Field(discriminator="task")]
    step: Annotated[int, Strict(), Ge(1), Le(150)]

    def __post_init__(self) -> None:
        depth, before = 1, self.origin.branch_from
        while before is not None:
            depth, before = depth + 1, before.origin.branch_from
        if depth > MAX_BRANCHES:
            raise ValueError(f"branches can be at most {MAX_BRANCHES} deep")


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class Diffusion:
    """What text to image and image to image have in common.

    None means the checkpoint's default, or for the seed a random one; both are settled when the job is submitted.
    """

    schema_version: Annotated[Literal[2], Scope.IMAGE, WithoutControl("a constant of the program", is_told=False)] = (
        SCHEMA_VERSION
    )
    prompt: Annotated[Prompt, Scope.IMAGE, Control(Group.WRITING)] = ""
    negative_prompt: Annotated[Prompt, needs(Capability.NEGATIVE_PROMPT), Scope.IMAGE, Control(Group.WRITING)] = ""
    # Put around the prompt one after the other; the names of presets.
    looks: Annotated[Looks, Scope.IMAGE, Control(Group.WRITING, "list")] = ()
    # What those looks said, set at submit.
    look_texts: Annotated[
        LookTexts, Scope.IMAGE, WithoutControl("what the looks said, set when the job is submitted", is_told=False)
    ] = ()
    # What looks and wildcards made of the prompts, set at submit; None where there are neither.
    resolved_prompts: Annotated[
        ResolvedPrompts | None,
        Scope.IMAGE,
        WithoutControl("made of the prompts when the job is submitted", is_told=False),
    ] = None
    # A digest of all that `resolved_prompts` were made of; if it no longer matches, they are made again.
    resolved_from: Annotated[
        str | None,
        Field(max_length=64),
        Scope.IMAGE,
        WithoutControl("a digest, set when the job is submitted", is_told=False),
    ] = None
    checkpoint: Annotated[CheckpointId | None, Control(Group.HEADER, "list")] = None
    scheduler: Annotated[Scheduler | None, Control(Group.SAMPLING)] = None
    sigmas: Annotated[Sigmas | None, Control(Group.SAMPLING, beside=True)] = None
    # Where Karras', exponential and beta sigmas begin and end: where the network was trained to, or where the plain
    # timesteps of so many steps do.
    sigma_range: Annotated[
        Literal["network", "timesteps"],
        inactive("flow_without_range", offers_only("scheduler", "euler")),
        inactive("sigmas_without_range", negated(one_of("sigmas", *RANGED_SIGMAS))),
        inactive("scheduler_without_range", one_of("scheduler", *(s.id for s in SCHEDULERS if not s.has_range))),
        infotext("Sigma range"),
        Control(Group.SAMPLING),
    ] = "network"
    steps: Annotated[Steps | None, Control(Group.EFFORT)] = None
    guidance_scale: Annotated[GuidanceScale | None, Control(Group.EFFORT)] = None
    # Layers of CLIP from the end; 1 leaves out none.
    clip_skip: Annotated[
        int,
        Strict(),
        Ge(1),
        Le(12),
        needs(Capability.CLIP_SKIP),
        Scope.BRANCH,
        infotext("Clip skip"),
        Control(Group.SAMPLING),
    ] = 1
    seed: Annotated[Seed | None, Scope.IMAGE, infotext("Seed"), Control(Group.SEED, empty="seed_random")] = None
    # Image i varies with (variation_seed + i); None or -1: random.
    variation_seed: Annotated[
        Seed | None,
        needs(Capability.VARIATIONS, is_refused=False),
        inactive("variation_off", at_most("variation_strength", 0)),
        Scope.IMAGE,
        infotext("Variation seed"),
        Control(Group.SAMPLING, empty="seed_random"),
    ] = None
    # Above 0 every image has the same seed.
    variation_strength: Annotated[
        Share,
        needs(Capability.VARIATIONS),
        Scope.IMAGE,
        infotext("Variation seed strength"),
        Control(Group.SAMPLING, beside=True),
    ] = 0.0
    # Whose numbers the noise is made of: those of torch on a CPU, or those of NVIDIA's cards, as A1111 draws it.
    noise_source: Annotated[
        Literal["cpu", "nv"],
        needs(Capability.NOISE_SOURCE),
        infotext_names.NOISE_SOURCE,
        Control(Group.SAMPLING, "chips"),
    ] = "cpu"
    # Towards the contrast of the prompt's own prediction.
    guidance_rescale: Annotated[
        Share,
        needs(Capability.GUIDANCE_RESCALE),
        _GUIDANCE_OFF,
        Scope.BRANCH,
        infotext_names.GUIDANCE_RESCALE,
        Control(Group.SAMPLING),
    ] = 0.0
    # Of the steps; outside of [start, end) the prompt alone is followed.
    guidance_start: Annotated[
        Share,
        needs(Capability.GUIDANCE_INTERVAL),
        _GUIDANCE_OFF,
        Scope.BRANCH,
        infotext("Skip Early CFG"),
        Control(Group.SAMPLING),
    ] = 0.0
    guidance_end: Annotated[
        Share,
        needs(Capability.GUIDANCE_INTERVAL),
        _GUIDANCE_OFF,
        Scope.BRANCH,
        infotext("Guidance end"),
        Control(Group.SAMPLING, beside=True),
    ] = 1.0
    # Fresh noise at each step; None: the scheduler's own share.
    eta: Annotated[Share | None, infotext_names.ETA, Control(Group.SAMPLING)] = None
    # How far a flow's steps are moved towards the noise; None: as the checkpoint does, by the picture's size or not.
    shift: Annotated[
        float | None,
        Strict(),
        Ge(0.01),  # none would leave no noise at all
        Le(20.0),
        Field(json_schema_extra={"step": 0.01}),
        needs(Capability.FLOW),
        infotext("Shift"),
        Control(Group.SAMPLING, "number", empty="shift_own"),
    ] = None
    # Along which the picture continues at its edges.
    tiling: Annotated[Literal["none", "x", "y", "both"], needs(Capability.TILING), Control(Group.SAMPLING, "chips")] = (
        "none"
    )
    # Draws the pixels of the latents. None: the checkpoint's own; a name is settled to its id at submit.
    vae: Annotated[
        VaeId | None, needs(Capability.VAE), infotext("VAE"), Control(Group.SAMPLING, "list", empty="vae_own")
    ] = None
    # Whether the VAE or a tiny decoder draws the pixels. None: the checkpoint's default on this device.
    decoder: Annotated[Decoder | None, Control(Group.SAMPLING, "list", beside=True, empty="decoder_automatic")] = None
    # What brackets and such mean in the prompts.
    prompt_dialect: Annotated[
        Literal["a1111", "compel"],
        needs(Capability.PROMPT_SYNTAX, is_refused=False),
        Scope.BRANCH,
        infotext_names.PROMPT_DIALECT,
        Control(Group.SAMPLING),
    ] = "a1111"
    # Whether weights keep the mean of the embeddings (a1111).
    emphasis: Annotated[
        Literal["original", "no_norm"],
        needs(Capability.PROMPT_SYNTAX, is_refused=False),
        inactive("emphasis_of_a1111", one_of("prompt_dialect", "compel")),
        Scope.BRANCH,
        infotext_names.EMPHASIS,
        Control(Group.SAMPLING, beside=True),
    ] = "original"
    width: Annotated[Pixels | None, Control(Group.SIZE, "number")] = None
    height: Annotated[Pixels | None, Control(Group.SIZE, "number")] = None
    num_images: Annotated[int, Strict(), Ge(1), Le(16), Scope.IMAGE, Control(Group.AMOUNT, "chips")] = 1
    keep_best: Annotated[
        int,
        Strict(),
        Ge(0),
        Le(16),
        Field(description="how many images are kept, those that fit the prompt best according to a CLIP model; 0: all"),
        Scope.IMAGE,
        Control(Group.AMOUNT, "chips"),
    ] = 0  # fewer than num_images; the others are saved too, marked as not kept
    # Of num_images, from 0; None: all are made.
    only_image: (
        Annotated[
            int, Strict(), Ge(0), Le(15), Scope.IMAGE, WithoutControl("one of several is made again from its picture")
        ]
        | None
    ) = None
    # The step whose estimate is the picture.
    stop_after: (
        Annotated[
            int, Strict(), Ge(1), Le(150), Scope.BRANCH, WithoutControl("a step is kept from the strip below the stage")
        ]
        | None
    ) = None
    # Another picture, some of whose steps are the first ones of this.
    branch_from: Annotated[
        Branch | None,
        needs(Capability.BRANCHES),
        Scope.BRANCH,
        WithoutControl("a branch begins at a step of the strip below the stage"),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _accept_other_words(cls, data: Any) -> Any:
        """Requests of earlier versions, and A1111's scheduler names, the old combined ones too, become ours before they
        are checked and stored."""
        values = data.kwargs if isinstance(data, ArgsKwargs) else data
        if not isinstance(values, dict):
            return data
        values = upgraded(values, getattr(cls, "task", ""))
        if isinstance(values.get("scheduler"), str) and (found := canonical_scheduler(values["scheduler"])):
            values["scheduler"], sigmas = found
            if sigmas and values.get("sigmas") is None:
                values["sigmas"] = sigmas
        if isinstance(values.get("sigmas"), str):
            scheduler = values.get("scheduler")
            own = canonical_sigmas(values["sigmas"], scheduler if isinstance(scheduler, str) else None)
            values["sigmas"] = own or values["sigmas"]
        return ArgsKwargs((), values) if isinstance(data, ArgsKwargs) else values


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class TextToImage(Diffusion):
    """Diffusion from noise, guided by a prompt. `walk_to`: the images lead from this picture to another one."""

    task: Annotated[Literal["text_to_image"], WithoutControl("the tab says it", is_told=False)] = "text_to_image"
    walk_to: Annotated[
        WalkEnd | None, needs(Capability.WALKS), Scope.IMAGE, WithoutControl("a walk is started from two pictures")
    ] = None


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class ImageToImage(Diffusion):
    """Diffusion from a picture. `denoising_strength`: 0 keeps the picture, 1 ignores it.

    With a `mask`, only its white parts are redrawn. `outpaint_…` adds that many pixels at a side and keeps the rest.
    Everything that is neither masked nor added stays exactly as it was. Fields other than `mask`, `resize_mode` and
    `outpaint_…` matter only if something is masked or added.
    """

    task: Annotated[Literal["image_to_image"], WithoutControl("the tab says it", is_told=False)] = "image_to_image"
    init_image: Annotated[Picture, Control(Group.UPLOADS)]
    # Of the picture's shape; white is redrawn, grey is mixed.
    mask: Annotated[Picture | None, needs(Capability.INPAINTING), Control(Group.PICTURE)] = None
    denoising_strength: Annotated[
        float,
        Strict(),
        Ge(0.0),
        Le(1.0),
        Field(json_schema_extra={"step": 0.01}),
        _FROM_NOISE,
        infotext("Denoising strength", always=True),
        Control(Group.PICTURE),
    ] = 0.6
    # What a strength between two whole numbers of steps begins with: noise between theirs, or that of the lower one.
    denoising_start: Annotated[
        Literal["exact", "whole_step"],
        needs(Capability.EXACT_START, is_refused=False),
        _FROM_NOISE,
        infotext_names.DENOISING_START,
        Control(Group.FRAMING, "chips"),
    ] = "exact"
    # Whether what is white in the mask is drawn, or the rest.
    mask_mode: Annotated[
        Literal["masked", "not_masked"],
        _OF_A_PART,
        inactive("nothing_masked", negated(is_set("mask"))),
        infotext_names.MASK_MODE,
        Control(Group.MASKING),
    ] = "masked"
    # What is drawn at width × height; of the masked place alone with so many pixels around it.
    inpaint_area: Annotated[
        Literal["whole_picture", "only_masked"],
        _OF_A_PART,
        _NOTHING_MASKED,
        infotext_names.INPAINT_AREA,
        Control(Group.MASKING, beside=True),
    ] = "whole_picture"
    # What the masked places start from, under noise: colours of what lies around, what was there, noise, or zeros.
    masked_content: Annotated[
        Literal["fill", "original", "latent_noise", "latent_nothing"],
        needs(Capability.INPAINTING, Capability.MASKED_CONTENT, is_refused=False),
        _NOTHING_MASKED,
        _FROM_NOISE,
        inactive("full_strength", at_least("denoising_strength", 1)),
        infotext_names.MASKED_CONTENT,
        Control(Group.MASKING),
    ] = "original"
    inpaint_padding: Annotated[
        int,
        Strict(),
        Ge(0),
        Le(256),
        Field(json_schema_extra={"step": 4}),
        _OF_A_PART,
        _NOTHING_MASKED,
        inactive("whole_picture", one_of("inpaint_area", "whole_picture")),
        infotext("Masked area padding", always=True),
        Control(Group.MASKING, beside=True),
    ] = 32
    # Pixels over which its edge fades, inwards.
    mask_blur: Annotated[
        int,
        Strict(),
        Ge(0),
        Le(64),
        _OF_A_PART,
        _NOTHING_MASKED,
        infotext("Mask blur", always=True),
        Control(Group.MASKING),
    ] = 4
    # Grey says how much a place may change (differential diffusion).
    soft_inpainting: Annotated[
        bool,
        Strict(),
        needs(Capability.INPAINTING, Capability.SOFT_INPAINTING, is_refused=False),
        _NOTHING_MASKED,
        infotext_names.SOFT_INPAINTING,
        Control(Group.MASKING, beside=True),
    ] = False
    # How the picture comes to width × height; `latent_upscale` enlarges its latents instead of its pixels.
    resize_mode: Annotated[
        Literal["just_resize", "crop_and_resize", "resize_and_fill", "latent_upscale"],
        inactive("own_size", one_of("inpaint_area", "only_masked"), is_set("mask", *SIDES)),
        infotext_names.RESIZE_MODE,
        Control(Group.FRAMING),
    ] = "crop_and_resize"
    # Pixels that are added to width × height at that side.
    outpaint_left: Annotated[Added, infotext("Outpaint left"), Control(Group.SIDES, "number")] = 0
    outpaint_top: Annotated[Added, infotext("Outpaint top"), Control(Group.SIDES, "number", beside=True)] = 0
    outpaint_right: Annotated[Added, infotext("Outpaint right"), Control(Group.SIDES, "number", beside=True)] = 0
    outpaint_bottom: Annotated[Added, infotext("Outpaint bottom"), Control(Group.SIDES, "number", beside=True)] = 0

    @property
    def strongest(self) -> float:
        """The strength of what starts from the most noise; pixels added at a side have no picture to keep."""
        return 1.0 if any(getattr(self, side) for side in SIDES) else self.denoising_strength
