"""What the light in the fibres says: a module's limits and state, a link's loss, its change since it was taken over."""
