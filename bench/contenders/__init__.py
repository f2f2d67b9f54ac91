"""What others would write or install instead, as programs that are measured beside ours."""
