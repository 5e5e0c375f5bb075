"""The routes, one module for each noun; each is a function from the services to a router."""
