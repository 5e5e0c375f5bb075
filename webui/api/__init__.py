"""The HTTP door: native API, login, guard. It puts errors into words; it knows no torch and no Gradio component."""
