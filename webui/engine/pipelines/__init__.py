"""The other families, run through diffusers' pipelines."""
