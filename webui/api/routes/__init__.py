"""The routes, one noun a module; each is a function from the services to a router."""
