"""What a race finds, and its report."""
