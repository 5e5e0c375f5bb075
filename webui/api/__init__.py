"""The HTTP door: native API, login, guard. It words errors for people; it knows no torch and no gradio component."""
