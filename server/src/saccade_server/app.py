"""The composition root: makes the parts, hands them to each other, starts and stops them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from saccade_server import memory
from saccade_server.apis import Apis
from saccade_server.artifact import Artifact
from saccade_server.batching import Batcher, BatchingConfig, EngineWorker
from saccade_server.config import ServerConfig
from saccade_server.cpus import available_cpus
from saccade_server.credentials import Certificates
from saccade_server.errors import ConfigError
from saccade_server.http import HttpLimits, SidePort
from saccade_server.imaging import Decoder, ImageLimits
from saccade_server.loading.engine_set import EngineConfig, EngineSet
from saccade_server.loading.loader import Loader, LoadingConfig
from saccade_server.metrics import Collected, Family, Metrics
from saccade_server.places import local_folder
from saccade_server.registry import All, Latest, ModelConfig, Registry, State, TrafficFile, Watcher
from saccade_server.services.tfserving import read_config_file
from saccade_server.signals import Stop
from saccade_server.stores.mirror import Mirror
from saccade_server.stores.process import StoreProcesses
from saccade_server.transports.limits import ConnectionLimits
from saccade_server.transports.transport import Transport, make_transport

log = logging.getLogger(__name__)

SETTLE_S = 2.0
"""For how long a folder without checksums must stand still, where nothing is polled."""

LOOK_S = 0.1
"""Between two looks whether a first model answers, in seconds."""


class App:
    """One server: its models, its ports, its life from start to drain.

    Args:
        config: The settings.
        family: The other worker processes that share this one's ports, or None.
        models: What to serve; None: what the settings say.
    """

    def __init__(
        self,
        config: ServerConfig,
        family: Family | None = None,
        models: Sequence[ModelConfig] | None = None,
    ) -> None:
        self._config = config
        self._given = models
        self._family = family
        self._metrics = Metrics(CollectorRegistry())
        self._loader = Loader(
            loading_config(config, shares=family is not None), self._make_predictor, self._metrics
        )
        self._cache = config.cache_dir.expanduser()
        settle_s = config.poll_s or SETTLE_S
        self._mirror = Mirror(
            self._cache,
            StoreProcesses(),
            self._metrics,
            max_bytes=config.mirror_gb << 30,
            settle_s=settle_s,
        )
        self._registry = Registry(
            local_folder(config.model_repository, self._cache),
            self._loader.load,
            self._metrics,
            describe=self._loader.describe,
            policy=Latest(count=config.latest_versions) if config.latest_versions else All(),
            settle_s=settle_s,
            probation_s=config.rollback_s,
            source=self._mirror,
        )
        path = config.traffic_file
        self._traffic = TrafficFile(Path(path), self._registry.direct) if path else None
        self._untold = True
        self._decoder = Decoder(
            threads=config.decode_threads or available_cpus(),
            limits=ImageLimits(max_pixels=config.max_image_pixels),
            niceness=config.niceness,
        )
        self._tls = _certificates(config)
        self._apis = Apis(config, self._registry, self._decoder, self._metrics)
        self._health = self._apis.health
        self._grpc: Transport | None = None
        self._http = SidePort(
            self._collect,
            lambda: self._health.ready,
            host=config.host,
            port=config.http_port,
            share_port=family is not None,
            # Nothing that TLS is to protect goes over a port without it.
            routes=[] if self._tls else self._apis.routes(),
            limits=HttpLimits(
                max_body_bytes=config.max_message_mb << 20,
                receive_s=config.receive_s,
                idle_s=config.idle_s,
            ),
            client_header=config.fairness_key,
        )

    async def run(self, announce: Callable[[str], None]) -> None:
        """Serves until SIGTERM or SIGINT, then drains.

        The ports are open while models load, so that probes see a live process that is not ready;
        those of a family open afterwards, so that a worker that starts takes no calls from others.

        Args:
            announce: Gets the line `ready grpc=HOST:PORT http=HOST:PORT` once all models answer, or
                any, as it is set.

        Raises:
            ConfigError: The repository is no folder, or holds no model that can be served, or the
                model config file or the traffic file is wrong.
            OSError: A port is taken.
        """
        stop = Stop()
        if self._traffic is not None:
            await self._traffic.look()
        if self._family is None:
            await self._open()
        else:
            await stop.watch_parent()
        loading = asyncio.ensure_future(self._registry.open(self._first_models()))
        stopping = asyncio.ensure_future(stop.wait())
        watching: list[asyncio.Future[None]] = []
        try:
            if await self._ready_early(loading, stopping):
                await self._enter(announce)
            await asyncio.wait((loading, stopping), return_when=asyncio.FIRST_COMPLETED)
            if loading.done():
                loading.result()
                self._check_models()
                memory.settle()
                await self._enter(announce)
                if not self._registry.ready:
                    log.error("not every model could be loaded; the others answer")
                self._loader.protect()
                watching = [asyncio.ensure_future(each.run()) for each in self._watchers(announce)]
            await stopping
        finally:
            loading.cancel()
            for each in watching:
                each.cancel()
            stopping.cancel()
            await self._stop(linger_s=self._config.linger_s if stop.gently else 0.0)

    async def _ready_early(
        self, loading: "asyncio.Future[None]", stopping: "asyncio.Future[None]"
    ) -> bool:
        """Waits for the first model, where one makes the server ready and others still load."""
        while self._config.ready_when == "any" and not (loading.done() or stopping.done()):
            if self._health.ready:
                return True
            await asyncio.wait(
                (loading, stopping), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED
            )
        return False

    async def _enter(self, announce: Callable[[str], None]) -> None:
        """Opens the ports that are not open yet, and tells that the server is ready, if it is."""
        if self._grpc is None:
            await self._open()
        self._announce(announce)

    def _first_models(self) -> Sequence[ModelConfig] | None:
        if self._given is None and self._config.model_config_file:
            return read_config_file(Path(self._config.model_config_file), self._cache)
        return self._given

    @property
    def _watches(self) -> bool:
        """Whether folders are looked at: not if callers say which models there are."""
        named = self._given is not None or bool(self._config.model_config_file)
        return self._config.poll_s > 0 and (named or self._config.model_control == "none")

    def _watchers(self, announce: Callable[[str], None]) -> list[Watcher]:
        """What looks for changes of files."""
        poll_s, watchers = self._config.poll_s, []
        if self._watches:
            look, looks = partial(self._look, announce), self._metrics.repository_looks
            watchers.append(Watcher(look, poll_s, looks, what="new versions"))
        if self._traffic is not None and poll_s > 0:
            looks = self._metrics.traffic_looks
            watchers.append(Watcher(self._traffic.look, poll_s, looks, what="other traffic"))
        return watchers

    async def _look(self, announce: Callable[[str], None]) -> None:
        """Looks for new versions; tells when at last the server is ready."""
        await self._registry.refresh()
        self._announce(announce)

    async def _open(self) -> None:
        """Opens the ports.

        Raises:
            OSError: One of them is taken.
        """
        share = self._family is not None
        self._grpc = make_transport(
            self._config.transport,
            self._apis.methods,
            self._apis.answerer,
            address=f"{self._config.host}:{self._config.grpc_port}",
            max_message_bytes=self._config.max_message_mb << 20,
            limits=_limits(self._config),
            share_port=share,
            tls=self._tls,
        )
        await self._http.start()
        await self._grpc.start()
        if self._family is not None:
            await self._family.start(self._metrics.registry)

    async def _collect(self) -> CollectorRegistry | Collected:
        """What /metrics shows."""
        return self._metrics.registry if self._family is None else await self._family.collect()

    def _check_models(self) -> None:
        """Refuses to go on without a single model.

        Raises:
            ConfigError: None could be loaded; the text says why.
        """
        versions = [version for each in self._registry.models.values() for version in each]
        failed = [f"{version.model} {version.version}: {version.reason}" for version in versions]
        waiting = self._watches and any(each.state is State.WAITING for each in versions)
        if not waiting and not any(version.loaded for version in versions):
            why = "; ".join(failed) or "it is empty (train a model with `saccade-models train`)"
            where = self._config.model_config_file or self._config.model_repository
            raise ConfigError(f"{where} has no model to serve: {why}")

    def _announce(self, announce: Callable[[str], None]) -> None:
        """Says once that the server is ready, when it is."""
        if self._untold and self._health.ready and self._grpc is not None:
            host = self._config.host
            announce(f"ready grpc={host}:{self._grpc.port} http={host}:{self._http.port}")
            self._untold = False

    def _make_predictor(
        self, model: str, version: int, artifact: Artifact, engines: EngineSet
    ) -> Batcher:
        work = partial(EngineWorker, name=f"{model}-{version}", niceness=self._config.niceness)
        batching = BatchingConfig(
            max_batch_images=engines.sizing.batch_images,
            enough_images=engines.sizing.enough_images,
            max_queue_images=self._config.max_queue_images,
            fair=bool(self._config.fairness_key),
            gather=engines.gather,
            few=engines.few,
        )
        return Batcher(
            [work(each) for each in engines.engines],
            batching,
            self._metrics,
            model=model,
            version=version,
            wide=work(engines.wide) if engines.wide else None,
            announced=self._apis.answerer.announced,
        )

    async def _stop(self, *, linger_s: float) -> None:
        self._health.drain()
        if linger_s and self._registry.models:
            log.info("draining: still answering for %g s", linger_s)
            await asyncio.sleep(linger_s)
        self._apis.answerer.drain()
        if self._grpc is not None:
            await self._grpc.stop(self._config.drain_s)
        await self._apis.finish_copies()
        await self._loader.close()
        await self._registry.close()
        await self._mirror.close()
        self._decoder.close()
        await self._http.stop()
        await self._apis.close()
        if self._family is not None:
            await self._family.stop()
        log.info("stopped")


def _certificates(config: ServerConfig) -> Certificates | None:
    """TLS as the settings have it.

    Raises:
        ConfigError: A file is missing or wrong.
    """
    if bool(config.tls_cert) != bool(config.tls_key):
        raise ConfigError("--tls-cert and --tls-key need each other")
    if config.tls_client_ca and not config.tls_cert:
        raise ConfigError("--tls-client-ca needs --tls-cert and --tls-key")
    if not config.tls_cert:
        return None
    client_ca = Path(config.tls_client_ca) if config.tls_client_ca else None
    return Certificates(Path(config.tls_cert), Path(config.tls_key), client_ca)


def _limits(config: ServerConfig) -> ConnectionLimits:
    return ConnectionLimits(
        max_connections=config.max_connections,
        max_streams=config.max_concurrent_streams,
        max_header_bytes=config.max_header_kb << 10,
        receive_s=config.receive_s,
        keepalive_s=config.keepalive_s,
        keepalive_timeout_s=config.keepalive_timeout_s,
        idle_s=config.idle_s,
    )


def loading_config(config: ServerConfig, *, shares: bool) -> LoadingConfig:
    """How models are loaded; `shares`: other processes have their share of the processors."""
    return LoadingConfig(
        engine=config.engine,
        engines=EngineConfig(
            workers=config.engine_workers,
            threads=config.engine_threads or available_cpus(),
            spare=not shares and 0 < config.engine_threads < available_cpus(),
            max_batch_images=config.max_batch_images,
        ),
        cache=config.cache_dir.expanduser(),
        niceness=config.niceness,
    )
