"""A request as the JSON that would make it again: what its digest covers, and what agents read back. Pure.

Every review asked for needs it twice, and most fields are at their default: a question each costs a third of what a
walk over the fields does. A test holds it against such a walk.
"""

from __future__ import annotations

from reviews.model import Action, Context, Evidence, Object, Producer, Request, ReviewType, RiskClaim, UiHint


def request_json(request: Request) -> Object:
    """A Request as the JSON that would make it again; fields at their default are left out, but for `arguments`."""
    made: Object = {"action": _action(request.action)}
    if request.subject is not None:
        made["subject"] = request.subject
    if request.summary is not None:
        made["summary"] = request.summary
    if request.confidence is not None:
        made["confidence"] = request.confidence
    if risk := _risk(request.risk):
        made["risk"] = risk
    if context := _context(request.context):
        made["context"] = context
    if request.evidence:
        made["evidence"] = [_evidence(evidence) for evidence in request.evidence]
    if request.metadata:
        made["metadata"] = request.metadata
    _add_references(request, made)
    _add_wishes(request, made)
    return made


def _add_references(request: Request, made: Object) -> None:
    """Where the request comes from, in the agent's own words, and for whom."""
    if request.task_id is not None:
        made["task_id"] = request.task_id
    if request.correlation_id is not None:
        made["correlation_id"] = request.correlation_id
    if request.session_id is not None:
        made["session_id"] = request.session_id
    if request.trigger_id is not None:
        made["trigger_id"] = request.trigger_id
    if request.producer is not None:
        made["producer"] = _producer(request.producer)
    if request.validation_id is not None:
        made["validation_id"] = request.validation_id
    if request.validation is not None:
        made["validation"] = request.validation
    if request.on_behalf_of is not None:
        made["on_behalf_of"] = request.on_behalf_of
    if request.scopes:
        made["scopes"] = list(request.scopes)


def _add_wishes(request: Request, made: Object) -> None:
    """How the agent would have it reviewed, shown and answered."""
    if request.review_type is not ReviewType.APPROVAL:
        made["review_type"] = str(request.review_type)
    if request.reviewer_role is not None:
        made["reviewer_role"] = request.reviewer_role
    if request.review_deadline is not None:
        made["review_deadline"] = request.review_deadline.isoformat()
    if request.escalate_after_seconds is not None:
        made["escalate_after_seconds"] = request.escalate_after_seconds
    if request.allowed_decisions is not None:
        made["allowed_decisions"] = [str(verb) for verb in request.allowed_decisions]
    if request.callback_url is not None:
        made["callback_url"] = request.callback_url
    if request.sensitive:
        made["sensitive"] = list(request.sensitive)
    if hint := _ui_hint(request.ui_hint):
        made["ui_hint"] = hint


def _action(action: Action) -> Object:
    made: Object = {"name": action.name, "arguments": action.arguments}
    if action.schema is not None:
        made["schema"] = action.schema
    if action.reversible is not None:
        made["reversible"] = action.reversible
    if action.preview is not None:
        made["preview"] = action.preview
    return made


def _risk(risk: RiskClaim) -> Object:
    made: Object = {}
    if risk.level is not None:
        made["level"] = str(risk.level)
    if risk.score is not None:
        made["score"] = risk.score
    if risk.amount is not None:
        made["amount"] = risk.amount
    if risk.currency is not None:
        made["currency"] = risk.currency
    if risk.domain is not None:
        made["domain"] = risk.domain
    if risk.sentiment is not None:
        made["sentiment"] = risk.sentiment
    return made


def _context(context: Context) -> Object:
    made: Object = {}
    if context.goal is not None:
        made["goal"] = context.goal
    if context.reasoning:
        made["reasoning"] = list(context.reasoning)
    if context.conversation:
        made["conversation"] = [{"role": turn.role, "text": turn.text} for turn in context.conversation]
    if context.attempted:
        made["attempted"] = list(context.attempted)
    if context.failure is not None:
        made["failure"] = context.failure
    if context.facts:
        made["facts"] = context.facts
    if context.policy:
        made["policy"] = list(context.policy)
    if context.recommendation is not None:
        made["recommendation"] = context.recommendation
    if context.alternatives:
        made["alternatives"] = list(context.alternatives)
    return made


def _producer(producer: Producer) -> Object:
    made: Object = {}
    if producer.agent_id is not None:
        made["agent_id"] = producer.agent_id
    if producer.result_id is not None:
        made["result_id"] = producer.result_id
    return made


def _evidence(evidence: Evidence) -> Object:
    made: Object = {"title": evidence.title}
    if evidence.snippet is not None:
        made["snippet"] = evidence.snippet
    if evidence.url is not None:
        made["url"] = evidence.url
    if evidence.score is not None:
        made["score"] = evidence.score
    return made


def _ui_hint(hint: UiHint) -> Object:
    made: Object = {} if hint.show_snippets else {"show_snippets": False}
    if hint.highlight_terms:
        made["highlight_terms"] = list(hint.highlight_terms)
    return made
