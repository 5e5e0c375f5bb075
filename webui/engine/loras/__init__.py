"""LoRAs: what they change in a checkpoint's weights, and how that is undone exactly."""
