"""Who may come in: the guard, logins, origins, private mode, and what of Gradio is open."""
