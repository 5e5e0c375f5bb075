"""Pictures as they go in and come out: pixels, masks, latents."""
