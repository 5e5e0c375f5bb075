"""Who may use the app: the guard, logins, origins, private mode, and the part of Gradio that is open."""
