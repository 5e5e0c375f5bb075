"""The look of Gradio's own parts: warm greys, one safelight red, only system fonts, so that nothing is fetched.

`assets/page.css` uses the same colours for our own parts; a colour is declared here once and becomes a CSS variable
there (`--dr-…`).
"""

from __future__ import annotations

import gradio as gr

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "PingFang SC", "Microsoft YaHei",
         "Noto Sans CJK SC", "sans-serif")  # fmt: skip
MONO = ("ui-monospace", "SF Mono", "Cascadia Mono", "Consolas", "DejaVu Sans Mono", "monospace")

# name: (light, dark). Contrast of ink on panel 14:1 and 13:1, of quiet on panel 5.6:1 and 6.2:1, of accent-ink on
# accent 5.3:1 and 5.6:1 (WCAG 2, AA needs 4.5:1).
COLOURS: dict[str, tuple[str, str]] = {
    "ground": ("#edeae6", "#12100f"),
    "panel": ("#faf8f6", "#1b1917"),
    "raised": ("#ffffff", "#262320"),
    "ink": ("#25211e", "#ece7e1"),
    "quiet": ("#68615a", "#a49c93"),
    "line": ("#dcd6cf", "#37322e"),
    "strong-line": ("#8f877e", "#7b736b"),
    "accent": ("#bf3a1e", "#e8694a"),
    "accent-hover": ("#a83016", "#f07f62"),
    "accent-ink": ("#ffffff", "#1c0c06"),
    "accent-soft": ("#f6e3dc", "#3a221b"),
    "amber": ("#b97700", "#e2a336"),
    "stage": ("#e3dfda", "#0c0b0a"),
}


def colour_variables() -> str:
    """The colours as CSS: light on `:root`, dark below `.dark` (Gradio sets it from the system)."""
    light = "".join(f"--dr-{name}:{pair[0]};" for name, pair in COLOURS.items())
    dark = "".join(f"--dr-{name}:{pair[1]};" for name, pair in COLOURS.items())
    return f":root{{{light}color-scheme:light}}.dark{{{dark}color-scheme:dark}}"


def theme() -> gr.themes.Base:
    """Gradio's theme variables, in our colours."""
    base = gr.themes.Base(font=list(FONTS), font_mono=list(MONO), text_size="sm", spacing_size="sm", radius_size="md")
    return base.set(**_both(
        body_background_fill="ground", body_text_color="ink", body_text_color_subdued="quiet",
        background_fill_primary="panel", background_fill_secondary="ground",
        border_color_primary="line", border_color_accent="accent", color_accent_soft="accent-soft",
        block_background_fill="panel", block_border_color="line", block_info_text_color="quiet",
        block_label_background_fill="panel", block_label_text_color="quiet", block_title_text_color="quiet",
        input_background_fill="raised", input_border_color="line", input_border_color_focus="accent",
        input_placeholder_color="quiet", slider_color="accent",
        button_primary_background_fill="accent", button_primary_background_fill_hover="accent-hover",
        button_primary_text_color="accent-ink", button_primary_border_color="accent",
        button_secondary_background_fill="raised", button_secondary_background_fill_hover="accent-soft",
        button_secondary_text_color="ink", button_secondary_border_color="line",
        checkbox_label_background_fill="raised", checkbox_label_background_fill_hover="accent-soft",
        checkbox_label_background_fill_selected="accent-soft", checkbox_label_text_color="ink",
        checkbox_label_border_color="line",
    ), color_accent="var(--dr-accent)", block_border_width="0px", block_border_width_dark="0px",
        block_shadow="none", block_shadow_dark="none", block_padding="0px", block_title_text_size="13px",
        block_title_text_weight="500", input_shadow="none", input_shadow_focus="none", input_text_size="14px",
        button_primary_shadow="none", button_secondary_shadow="none", form_gap_width="0px",
        layout_gap="12px", input_border_width="1px", input_border_width_dark="1px")  # fmt: skip


def _both(**names: str) -> dict[str, str]:
    """Each Gradio variable set to one of our colours, in light and dark alike: the colour variable itself changes."""
    values = {variable: f"var(--dr-{name})" for variable, name in names.items()}
    return values | {f"{variable}_dark": value for variable, value in values.items()}
