"""Verifies webhooks with PyPI's standardwebhooks.

One request a line on standard input: {key, id, timestamp, signature, body}; one line {ok} for each.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    asked = json.loads(line)
    headers = {
        "webhook-id": asked["id"],
        "webhook-timestamp": asked["timestamp"],
        "webhook-signature": asked["signature"],
    }
    try:
        Webhook(asked["key"]).verify(asked["body"], headers)
        ok = True
    except WebhookVerificationError:
        ok = False
    print(json.dumps({"ok": ok}))
