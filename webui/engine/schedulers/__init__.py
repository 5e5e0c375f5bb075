"""Update rules and noise schedules: the field's names, diffusers' classes."""
