"""From what a request names to the version that answers it."""

from saccade_server.errors import InvalidArgument, NotFound, Unavailable
from saccade_server.registry.rollout import Rollout
from saccade_server.registry.version import LoadedVersion, State, Version


class Router:
    """Finds versions.

    Args:
        rollout: The versions of all models.
    """

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout

    def check_known(self) -> None:
        """See `Registry.check_known`."""
        if not self._rollout.known:
            raise Unavailable("this server does not know its models yet, or no longer: try again")

    def find(self, model: str, version: int, label: str, key: str) -> LoadedVersion:
        """See `Registry.find`."""
        found = self.describe(model, version, label, key)
        if ready := found.ready:
            return ready
        if found.state is State.WAITING:
            raise Unavailable(
                f"version {found.version} of {found.model!r} is not complete yet: try again later"
            )
        if found.state is State.FAILED:
            raise Unavailable(f"version {found.version} of {found.model!r} failed to load")
        raise Unavailable(f"model {found.model!r} is {found.state.value}: try again later")

    def describe(self, model: str, version: int, label: str, key: str) -> Version:
        """See `Registry.describe`."""
        self.check_known()
        if not model:
            if len(self._rollout.served) > 1:
                raise InvalidArgument(f"name a model, one of: {', '.join(self._rollout.served)}")
            model = next(iter(self._rollout.served), "")
        versions = self._rollout.models.get(model)
        if not versions:
            served = ", ".join(self._rollout.served) or "none"
            raise NotFound(f"no model {model!r}; there are: {served}")
        if label:
            for candidate in versions:
                if label in candidate.labels:
                    return candidate
            raise NotFound(f"no version of {model!r} has the label {label!r}")
        if not version:
            return self.default(model, key) or versions[0]
        for candidate in versions:
            if candidate.version == version:
                return candidate
        numbers = ", ".join(str(candidate.version) for candidate in versions)
        raise NotFound(f"no version {version} of {model!r}; there are: {numbers}")

    def shadows(self, model: str) -> list[tuple[LoadedVersion, float]]:
        """See `Registry.shadows`."""
        shares = self._rollout.traffic_of(model).shadow
        return [
            (each.ready, shares[label])
            for each in (self._rollout.models.get(model, ()) if shares else ())
            for label in each.labels
            if label in shares and each.ready
        ]

    def default(self, model: str, key: str = "") -> Version | None:
        """What answers requests that name neither version nor label, if anything is ready.

        Args:
            model: Its name.
            key: What the split goes by; empty: the label with the largest share.
        """
        ready = [each for each in self._rollout.models.get(model, ()) if each.ready]
        traffic = self._rollout.traffic_of(model)
        if not traffic.split and not traffic.shadow:
            return ready[0] if ready else None
        if traffic.split:
            by_label = {label: each for each in ready for label in each.labels}
            label = traffic.choose(model, key, by_label) if key else traffic.main_label
            # Where no label of the split is ready, the newest version is better than none.
            if chosen := by_label.get(label):
                return chosen
        copied_to = traffic.shadow.keys() - traffic.split.keys()
        public = [each for each in ready if copied_to.isdisjoint(each.labels)]
        return next(iter(public or ready), None)
