"""Drawing rooms and furniture: solids, materials, a camera, and light that travels between them."""
