"""From a bare Python to a page that answers: the environment, its installation and the server.

Everything here but `serve.py` is standard library only. The layer above `webui.app`.
"""
