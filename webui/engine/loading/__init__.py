"""From a checkpoint on the disk to a pipeline on the device."""
