"""Pictures going in and coming out: pixels, masks, latents."""
