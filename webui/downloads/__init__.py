"""Getting models: what is offered, what a repository holds, and files fetched whole, checked and put in their place."""
