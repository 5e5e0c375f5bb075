"""The denoising loop of the U-Net families, and everything specific to it."""
