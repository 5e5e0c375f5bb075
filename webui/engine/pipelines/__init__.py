"""The other families, through diffusers' pipelines."""
