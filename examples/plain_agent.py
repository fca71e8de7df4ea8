"""An agent in two dozen lines of standard library: ask, wait, verify, redeem, and only then act.

    PLACET_URL=http://127.0.0.1:8080 PLACET_KEY=plk_… python examples/plain_agent.py

Arguments here are texts and whole numbers, so that sorted JSON is their canonical form (RFC 8785) already.
"""

import hashlib, json, os, sys, time, urllib.error, urllib.request  # noqa: E401, I001 - a short example


def call(path, body=None):
    headers = {"Authorization": f"Bearer {os.environ['PLACET_KEY']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["PLACET_URL"] + path, data, headers)
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as no:  # what says when is tried again: an approval that can still be undone, too
        time.sleep(int(no.headers["Retry-After"] or sys.exit(str(no))))
        return call(path, body)


review = call("/v1/reviews", {"action": {"name": "refund.issue", "arguments": {"order": "A-4721", "amount": 180}}})
while not review["decision"]:
    if review["status"] == "changes_requested":  # the agent's turn; this one has no other proposal
        print("changes requested:", review["changes_requested"][-1]["text"])
        review = call(f"/v1/reviews/{review['id']}/withdraw", {"reason": "I have no other proposal."})
    else:
        review = call(f"/v1/reviews/{review['id']}?wait=30")
decision, action = review["decision"], review["decision"]["action"]
bound = {"action": action["name"], "arguments": action["arguments"]}
canonical = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
digest = hashlib.sha256(canonical.encode()).hexdigest()
if decision["verdict"] == "approved" and digest == decision["digest"]:
    redeemed = call(f"/v1/reviews/{review['id']}/redeem", {"digest": digest})  # once, and only what was approved
    print("acting on", json.dumps(action["arguments"]), "with", redeemed["redemption_id"])
else:
    print("not acting:", decision["verdict"], decision["reason"] or "")
