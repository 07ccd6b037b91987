"""How the best rate moves when epochs, data or batch grow: short runs in, a rate for the long one or a refusal out."""
