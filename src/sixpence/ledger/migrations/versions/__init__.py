"""One file a step, applied in the order of their numbers; a step is never changed once it was released."""
