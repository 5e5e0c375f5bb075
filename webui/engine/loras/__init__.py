"""LoRAs: what they change in a checkpoint's weights, and that it is taken back exactly."""
