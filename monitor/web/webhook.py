"""Alertmanager's webhook: refused in a sentence, or on disk before it is acknowledged."""

from datetime import UTC, datetime
from ipaddress import ip_address

from flask import Response, request
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from monitor.alertmanager import Message
from monitor.duty import Duty
from monitor.instruments import MonitorMetrics
from monitor.store_file import BookFailed
from monitor.web.asked import sentence
from parvis.running import log

MAX_POST_BYTES = 1_000_000


class Webhook:
    """Takes messages for the engine of *duty*."""

    def __init__(self, duty: Duty, metrics: MonitorMetrics) -> None:
        self._duty = duty
        self._made = metrics.made

    def take(self) -> Response:
        """Take a message of Alertmanager; 200 only once its incidents are on the disk."""
        if not self._welcome(request.remote_addr or ""):
            return self._refuse("stranger", 403, "Alerts are taken from Alertmanager's own address only.")
        if request.mimetype != "application/json":
            return self._refuse("garbage", 400, "The body must be application/json.")
        try:
            message = Message.model_validate_json(request.get_data())
        except ValidationError as error:
            return self._refuse("garbage", 400, f"Not a webhook message of Alertmanager: {_first(error)}.")
        return self._keep(message)

    def too_large(self, _error: RequestEntityTooLarge) -> Response:
        """Refuse a body past the limit."""
        return self._refuse("too_large", 413, f"The body is longer than {MAX_POST_BYTES} bytes.")

    def _welcome(self, address: str) -> bool:
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer.version == net.version and peer in net for net in self._duty.settings.webhook_networks)

    def _keep(self, message: Message) -> Response:
        try:
            found = self._duty.engine.take(message, datetime.fromtimestamp(self._duty.clock(), UTC))
        except BookFailed as error:
            log.warning("alerts not written", error=str(error))
            return self._refuse("storage", 503, "The disk refuses the alerts; send them again.")
        count = self._made.counter("alert_events_total")
        count.labels("written").inc(found.new)
        count.labels("repeated").inc(found.repeated)
        count.labels("beat").inc(found.beat)
        self._duty.show()
        for number in found.opened:
            log.info("incident", number=number)
        if found.waiting:
            return self._refuse("unproven", 503, "Prometheus beats no more: its all-clears are not believed yet.")
        return sentence("Taken.")

    def _refuse(self, reason: str, status: int, words: str) -> Response:
        self._made.counter("alert_refusals_total").labels(reason).inc()
        return sentence(words, status)


def _first(error: ValidationError) -> str:
    """Where and why the first fault is; never the value, which is not ours to repeat."""
    detail = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in detail["loc"][:6])
    return f"{where[:100] or 'body'}: {detail['type'].replace('_', ' ')}"
