"""``POST /visits``: where the visitor gives its reports, with the secret they share."""

import hmac
import time

from flask import Flask, Response, request
from pydantic import ValidationError

from monitor.instruments import MonitorMetrics
from monitor.visits import Report, StrangeSite, Visits
from parvis.running import log
from parvis.values import Secret

MOST_BYTES = 20_000


def add_visits(app: Flask, visits: Visits, token: Secret, metrics: MonitorMetrics) -> None:
    """Let *app* take reports for *visits* from whoever knows *token*."""
    expected = f"Bearer {token.reveal()}".encode()
    count = metrics.made.counter("visitor_reports_total")

    def take() -> Response:
        status, words = _taken(visits, expected)
        count.labels("taken" if status == 204 else "refused").inc()  # noqa: PLR2004 No Content
        return Response(words and words + "\n", status, content_type="text/plain; charset=utf-8")

    app.add_url_rule("/visits", view_func=take, endpoint="visits", methods=["POST"])


def _taken(visits: Visits, expected: bytes) -> tuple[int, str]:
    """Status and words; nothing is kept of what is refused."""
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
        return 403, "The secret visitor-token is needed, the same at the visitor and here."
    if request.mimetype != "application/json" or (request.content_length or MOST_BYTES) >= MOST_BYTES:
        return 400, f"The body must be application/json, shorter than {MOST_BYTES} bytes."
    try:
        report = Report.model_validate_json(request.get_data())
        visits.take(report, time.time())
    except ValidationError as error:
        detail = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in detail["loc"][:6])
        return 400, f"Not a report of a visit: {where[:100] or 'body'}: {detail['type'].replace('_', ' ')}."
    except StrangeSite:
        return 400, "Not a report of a visit: site: the town has none of that name."
    if report.wrong:
        log.warning("visit failed", site=report.site, step=report.wrong.name, wrong=report.wrong.wrong)
    return 204, ""
