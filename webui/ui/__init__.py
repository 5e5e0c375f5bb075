"""The page. Only this package imports Gradio. It submits, cancels and shows; it knows nothing of torch."""
