"""The metrics of the server. One object owns them; nothing here is global.

Labels hold only what the server itself knows (models, versions, codes, class labels), never a
caller's text: their number is bounded.
"""

from prometheus_client import CollectorRegistry
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from saccade_server.metrics.series import Counter, Gauge, Histogram
from saccade_server.metrics.statistics import VersionStatistics

SECONDS = (
    1e-4, 1.5e-4, 2e-4, 3e-4, 4e-4, 6e-4, 8e-4,
    1e-3, 1.5e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3,
    1e-2, 1.5e-2, 2e-2, 3e-2, 4e-2, 6e-2, 8e-2,
    0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8,
    1.0, 2.0, 4.0, 10.0,
)  # fmt: skip
"""Bucket bounds in seconds: steps of at most 1.5 where requests usually are."""

IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
DIFFERENCES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Metrics:
    """Everything that /metrics shows.

    Args:
        registry: Where the metrics are registered; one for each server.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "saccade_requests",
            "Requests answered, by gRPC status code.",
            ("api", "method", "model", "code"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "saccade_request_seconds",
            "Time from a request's bytes to its answer's bytes, the network not counted.",
            ("api", "method", "model"),
            buckets=SECONDS,
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "saccade_stage_seconds",
            "Time of a request in each stage.",
            ("stage",),
            buckets=SECONDS,
            registry=registry,
        )
        self.images = Counter(
            "saccade_images",
            "Images by what became of them: ok or the code of their error.",
            ("model", "version", "outcome"),
            registry=registry,
        )
        self.batch_images = Histogram(
            "saccade_batch_images",
            "Images in one engine call.",
            ("model",),
            buckets=IMAGES,
            registry=registry,
        )
        self.queue_images = Gauge(
            "saccade_queue_images", "Images waiting for an engine.", ("model",), registry=registry
        )
        self.inflight_requests = Gauge(
            "saccade_inflight_requests", "Requests being answered.", registry=registry
        )
        self.rejected = Counter(
            "saccade_rejected", "Requests refused or dropped.", ("reason",), registry=registry
        )
        self.model_info = Gauge(
            "saccade_model_info",
            "1 for each loaded version, with its engine.",
            ("model", "version", "engine"),
            registry=registry,
        )
        self.engine_fallback = Gauge(
            "saccade_engine_fallback",
            "1 for each version that TensorFlow serves for want of a compiled form, and why.",
            ("model", "version", "reason"),
            registry=registry,
        )
        self.model_state = Gauge(
            "saccade_model_state",
            "1 for the state that a version is in.",
            ("model", "version", "state"),
            registry=registry,
        )
        self.model_load_seconds = Gauge(
            "saccade_model_load_seconds",
            "Time that loading a version took, warm-up included.",
            ("model", "version"),
            registry=registry,
        )
        self.predictions = Counter(
            "saccade_predictions",
            "Images by their best class.",
            ("model", "version", "label"),
            registry=registry,
        )
        self.prediction_confidence = Histogram(
            "saccade_prediction_confidence",
            "Probability of the best class.",
            ("model", "version"),
            buckets=CONFIDENCE,
            registry=registry,
        )
        self.repository_looks = Counter(
            "saccade_repository_looks",
            "Looks for new models and versions.",
            ("outcome",),
            registry=registry,
        )
        self.shadow_images = Counter(
            "saccade_shadow_images",
            "Images for shadow copies: agreed or differed in the best class, or why not compared.",
            ("model", "version", "outcome"),
            registry=registry,
        )
        self.shadow_difference = Histogram(
            "saccade_shadow_difference",
            "Largest difference in any probability of an image from what was answered.",
            ("model", "version"),
            buckets=DIFFERENCES,
            registry=registry,
        )
        self.shadow_inference_seconds = Counter(
            "saccade_shadow_inference_seconds",
            "Time of the engine calls of shadow copies.",
            ("model", "version"),
            registry=registry,
        )
        self.rollbacks = Counter(
            "saccade_rollbacks",
            "New versions that were taken away because they were worse than the one before.",
            ("model", "reason"),
            registry=registry,
        )
        self.traffic_looks = Counter(
            "saccade_traffic_looks",
            "Looks at the traffic file; failed while it is wrong and the old one is in force.",
            ("outcome",),
            registry=registry,
        )
        self.store_looks = Counter(
            "saccade_store_looks",
            "Looks at stores that are mirrored.",
            ("outcome",),
            registry=registry,
        )
        self.store_downloads = Counter(
            "saccade_store_downloads",
            "Versions downloaded from stores, or not.",
            ("outcome",),
            registry=registry,
        )
        self.store_bytes = Counter(
            "saccade_store_bytes", "Bytes downloaded from stores.", registry=registry
        )

        self._statistics: dict[tuple[str, str], VersionStatistics] = {}

    def statistics(self, model: str, version: str) -> VersionStatistics:
        """What a version has done so far."""
        try:
            return self._statistics[model, version]
        except KeyError:
            done = self._statistics[model, version] = VersionStatistics()
            return done

    def batch_sizes(self, model: str, most: int = 8) -> list[int]:
        """The images of the engine calls of a model's versions, the most frequent sizes first."""
        counts: dict[int, int] = {}
        for (name, _), done in self._statistics.items():
            if name == model:
                for size, total in done.batches.items():
                    counts[size] = counts.get(size, 0) + total.count
        return sorted(counts, key=lambda size: -counts[size])[:most]

    def forget_version(self, model: str, version: str) -> None:
        """Removes the series of a version that is gone; they would pile up with every roll-out."""
        for family in (
            self.images,
            self.model_info,
            self.engine_fallback,
            self.model_state,
            self.model_load_seconds,
            self.predictions,
            self.prediction_confidence,
            self.shadow_images,
            self.shadow_difference,
            self.shadow_inference_seconds,
        ):
            family.forget(model, version)
        self._statistics.pop((model, version), None)

    def forget_model(self, model: str) -> None:
        """Removes the series of a model's queue; what was asked of it stays counted."""
        self.batch_images.forget(model)
        self.queue_images.forget(model)
