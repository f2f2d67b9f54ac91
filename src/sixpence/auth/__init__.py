"""Authentication: embedded users, their sessions, API keys. See README.md in this folder."""

from sixpence.extras import require_server_extra

require_server_extra(__name__)
