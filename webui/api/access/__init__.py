"""Who may use the app: the guard, logins, origins, private mode, and the open part of Gradio."""
