"""The page. Gradio is imported here, and only here. It submits, cancels and shows; it knows nothing of torch."""
