"""Names and addresses to endpoints: the pool of a service, its balancing, and channels over it."""
