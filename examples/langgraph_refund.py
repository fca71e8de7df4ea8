"""A LangGraph agent that pauses for a person, survives being killed, and goes on with what the person approved.

    PLACET_URL=http://127.0.0.1:8080 PLACET_KEY=plk_… python examples/langgraph_refund.py THREAD [CHECKPOINTS]

The graph stops at `interrupt()`; its checkpoint is on disk before anything is asked. Run it again after a kill and it
asks with the same idempotency key, so it finds the review it asked for before, and resumes from its checkpoint with
the arguments a person approved or edited. The money moves only after the approval was redeemed.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

CALLBACK = os.environ.get("PLACET_CALLBACK")


class State(TypedDict, total=False):
    """What the graph remembers between its nodes."""

    proposal: dict[str, Any]
    decision: dict[str, Any]
    done: str


def call(path: str, body: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
    """One call to Placet. What says when is tried again then: a server too busy, an approval that can be undone yet."""
    headers = {"Authorization": f"Bearer {os.environ['PLACET_KEY']}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["PLACET_URL"] + path, data, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as no:
        if "Retry-After" not in no.headers:
            raise
        time.sleep(int(no.headers["Retry-After"]))
        return call(path, body, key)


def propose(state: State) -> State:
    """The model proposes a refund; it is scripted here, so that the example needs no key of a vendor."""
    refund = {"name": "refund.issue", "args": {"order": "A-4721", "amount": 180.0, "currency": "USD"}, "id": "call-1"}
    model = GenericFakeChatModel(messages=iter([AIMessage(content="The parcel is lost.", tool_calls=[refund])]))
    answer = model.invoke("Order A-4721 never came. What should we do?")
    wanted = answer.tool_calls[0]
    return {"proposal": {"name": wanted["name"], "arguments": wanted["args"], "why": str(answer.content)}}


def ask(state: State) -> State:
    """Pause: what `interrupt` is given waits in the checkpoint, what it returns is the person's decision.

    LangGraph runs this node from its start when it resumes, so nothing with an effect may stand before the pause.
    """
    return {"decision": interrupt(state["proposal"])}


def refund(state: State) -> State:
    """Act on the approved arguments, once: the redemption is what moves the money."""
    decision = state["decision"]
    if decision["verdict"] != "approved":
        return {"done": f"not refunded: {decision['verdict']} ({decision['reason'] or 'no reason given'})"}
    redeemed = call(
        f"/v1/reviews/{decision['review']}/redeem", {"digest": decision["digest"]}, key=f"{decision['review']}-act"
    )
    arguments = decision["action"]["arguments"]
    return {"done": f"refunded {arguments['amount']} for {arguments['order']} ({redeemed['redemption_id']})"}


def graph() -> StateGraph[State]:
    """propose → ask (pause) → refund."""
    builder = StateGraph(State)
    for node in (propose, ask, refund):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "propose")
    builder.add_edge("propose", "ask")
    builder.add_edge("ask", "refund")
    builder.add_edge("refund", END)
    return builder


def decide(thread: str, pause: Any) -> dict[str, Any]:
    """Ask Placet about one pause and wait, however long it takes."""
    proposal = pause.value
    body: dict[str, Any] = {
        "action": {"name": proposal["name"], "arguments": proposal["arguments"]},
        "summary": "Refund order A-4721, parcel lost",
        "confidence": 0.62,
        "session_id": thread,
        "context": {"reasoning": [proposal["why"]]},
    }
    if CALLBACK:
        body["callback_url"] = CALLBACK
    review = call("/v1/reviews", body, key=f"{thread}:{pause.id}")
    print(f"waiting for a person: {review['id']}", flush=True)
    while review["decision"] is None:
        if review["status"] == "changes_requested":
            return stand_by(review)
        review = call(f"/v1/reviews/{review['id']}?wait=30")
    return {"review": review["id"], **review["decision"]}


def stand_by(review: dict[str, Any]) -> dict[str, Any]:
    """Changes were asked for, and the scripted model has no other proposal: withdraw, and go on with a no.

    An agent that has one sends it to `/v1/reviews/ID/revisions` instead, and waits on.
    """
    call(f"/v1/reviews/{review['id']}/withdraw", {"reason": "The agent has no other proposal."})
    wish = review["changes_requested"][-1]["text"]
    return {"review": review["id"], "verdict": "changes requested", "reason": wish}


def main() -> None:
    """Begin, or go on from the checkpoint."""
    thread = sys.argv[1]
    checkpoints = sys.argv[2] if len(sys.argv) > 2 else "checkpoints.sqlite"
    config: Any = {"configurable": {"thread_id": thread}}
    with SqliteSaver.from_conn_string(checkpoints) as saver:
        agent = graph().compile(checkpointer=saver)
        state = agent.get_state(config)
        if not state.values:
            agent.invoke({}, config)
            state = agent.get_state(config)
        # Keyed by the pause's own id: an answer that comes late or twice then resumes nothing else.
        answers = {pause.id: decide(thread, pause) for pause in state.interrupts}
        final = agent.invoke(Command(resume=answers), config) if answers else state.values
        print(final["done"], flush=True)


if __name__ == "__main__":
    main()
