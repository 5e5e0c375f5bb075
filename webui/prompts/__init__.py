"""What a prompt says, read without torch: two dialects, wildcards, and chunks of tokens. Both processes use this."""
