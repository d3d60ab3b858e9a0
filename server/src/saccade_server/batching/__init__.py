"""Requests into batches, batches into engine calls."""

from saccade_server.batching.announced import Announced
from saccade_server.batching.batcher import Batcher
from saccade_server.batching.bounds import BatchingConfig
from saccade_server.batching.line import Scores
from saccade_server.batching.worker import EngineWorker

__all__ = ["Announced", "Batcher", "BatchingConfig", "EngineWorker", "Scores"]
