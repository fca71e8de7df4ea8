"""The `emulate` process: a Slack with channels, messages, threads, views and triggers, on a free port of loopback."""

from __future__ import annotations

import json

from adapters.slack.manifest import SCOPES
from tests.fakes import node_process
from tests.fakes.node_process import NodeProcess

TOKEN = "xoxb-emulated"
#: The tests' own token, to look with; the adapter's has the scopes of the manifest and no other.
SPY = "xoxb-spy"
APP_TOKEN = "xapp-emulated"
SECRET = "emulated-signing-secret"
TEAM = "T000000001"
BOT = "U0PLACETBOT"
_SPY_SCOPES = [*SCOPES, "users:read", "users:read.email", "mpim:history"]
_SEED = {
    "slack": {
        "team": {"name": "Placet Tests", "domain": "placet-tests"},
        "users": [
            {"name": "ana", "real_name": "Ana Ruiz", "email": "ana@example.com"},
            {"name": "bo", "real_name": "Bo Lindqvist", "email": "bo@example.com"},
        ],
        "channels": [{"name": "reviews", "topic": "reviews"}, {"name": "security", "topic": "security"}],
        "oauth_apps": [
            {
                "client_id": "1.2",
                "client_secret": "emulated",
                "app_id": "A0PLACET",
                "name": "Placet",
                "redirect_uris": ["http://127.0.0.1/unused"],
                "scopes": list(SCOPES),
                "bot_id": "B0PLACET",
                "bot_user_id": BOT,
                "bot_name": "placet",
            }
        ],
        "tokens": [
            {
                "token": token,
                "user": "placet",
                "bot_id": "B0PLACET",
                "bot_user_id": BOT,
                "app_id": "A0PLACET",
                "scopes": list(scopes),
            }
            for token, scopes in ((TOKEN, SCOPES), (SPY, _SPY_SCOPES))
        ],
        "signing_secret": SECRET,
        "strict_scopes": True,
    }
}


Emulator = NodeProcess


def start_emulator() -> Emulator:
    """Start `emulate` on a free port of loopback and return once it listens."""
    seed = "emulate.config.yaml"
    script, port = node_process.installed("emulate/dist/index.js"), str(node_process.free_port())
    files = {seed: json.dumps(_SEED)}  # JSON is YAML
    return node_process.start(script, "start", "-s", "slack", "-p", port, "--seed", seed, files=files)
