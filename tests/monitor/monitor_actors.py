"""An actor for the monitor's tests: somebody who listens to the town round after round."""

from collections.abc import Iterable

from monitor.findings import Finding, Policy, Reason, State, judge
from monitor.observations import Outcome, Sample
from monitor.targets import targets
from parvis.inventory import Town

INTERVAL = 5.0


class Listener:
    """Plays rounds of ``judge``: everything answers but what is named."""

    def __init__(self, town: Town, policy: Policy) -> None:
        self.town = town
        self.policy = policy
        self.now = 1_000_000.0
        self.findings: list[Finding] = []

    def hears(
        self,
        rounds: int = 1,
        *,
        silent: Iterable[str] = (),
        unasked: Iterable[str] = (),
        lossy: Iterable[str] = (),
        samples: Iterable[Sample] = (),
    ) -> "Listener":
        silent, unasked, lossy, samples = set(silent), set(unasked), set(lossy), list(samples)
        for _ in range(rounds):
            self.now += INTERVAL
            outcomes = [
                Outcome(t.name, t.name not in silent, 0.5 if t.name in lossy else 0.0, 0.01)
                for t in targets(self.town)
                if t.name not in unasked
            ]
            self.findings = judge(self.town, outcomes, samples, self.findings, self.now, self.policy)
        return self

    def hears_nothing_at_all(self, rounds: int) -> "Listener":
        return self.hears(rounds, silent=[target.name for target in targets(self.town)])

    def state(self, name: str) -> State:
        return self._finding(name).state

    def reason(self, name: str) -> Reason:
        return self._finding(name).reason

    def since(self, name: str) -> float:
        return self._finding(name).since

    def cause(self, name: str) -> str:
        return self._finding(name).cause

    def _finding(self, name: str) -> Finding:
        return next(finding for finding in self.findings if finding.target.name == name)
