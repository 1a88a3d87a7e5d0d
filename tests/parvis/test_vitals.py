"""How a process itself is: what prometheus_client tells of one, without it."""

import time
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.process_collector import ProcessCollector

from parvis.vitals import DEFINITIONS, vitals

NAMES_LEFT_OUT = {"python_gc_objects_collected", "python_gc_objects_uncollectable"}


def test_the_same_is_told_as_by_prometheus_client(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    theirs = {
        sample.name: sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        if family.name not in NAMES_LEFT_OUT
        for sample in family.samples
    }
    ours = {name: value for name, _, value in vitals("test", tmp_path, time.time())}

    assert {each.name for each in DEFINITIONS} == set(theirs)
    for name in ("process_virtual_memory_bytes", "process_resident_memory_bytes", "process_cpu_seconds_total"):
        assert 0.5 < ours[name] / theirs[name] < 2
    assert abs(ours["process_start_time_seconds"] - theirs["process_start_time_seconds"]) < 0.1
    assert ours["process_max_fds"] == theirs["process_max_fds"]
    assert abs(ours["process_open_fds"] - theirs["process_open_fds"]) <= 2


def test_the_room_on_the_disk_is_the_folders(tmp_path: Path) -> None:
    found = {name: (labels, value) for name, labels, value in vitals("test", tmp_path, 5.0)}

    labels, free = found["state_disk_free_bytes"]
    assert labels == (("folder", "state"),)
    assert 0 < free <= found["state_disk_size_bytes"][1]
    assert found["clock_timestamp_seconds"] == ((), 5.0)


def test_a_folder_that_is_not_there_has_no_number(tmp_path: Path) -> None:
    found = {name: value for name, _, value in vitals("test", tmp_path / "none", 0.0)}

    assert found["state_disk_free_bytes"] != found["state_disk_free_bytes"]
