"""What people see of a step while it runs."""
