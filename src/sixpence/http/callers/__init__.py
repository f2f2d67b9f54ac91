"""Who is calling: cookies, API keys, the origin of a page, the address of a client."""
