"""What is in the models folder, read without torch: checkpoints, what they can do, and what goes with them."""
