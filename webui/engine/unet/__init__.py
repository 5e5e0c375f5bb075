"""The denoising loop of the U-Net families, and all that is special to it."""
