"""The dashboard shows what is counted, and Prometheus asks where it is counted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from service.metrics import GATEWAY, WORKER

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD = json.loads((ROOT / "docker/grafana/dashboards/cdvd.json").read_text())
LOAD = {"cdvd_broker_up", "cdvd_queue_depth", "cdvd_jobs", "cdvd_workers", "cdvd_steps_running"}
"""Read from Redis at every scrape; tested in integration/test_metrics.py."""


def shown() -> set[str]:
    """Every cdvd metric of the dashboard, by the name of its family."""
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    names = set(re.findall(r"\bcdvd_\w+", " ".join(expressions)))
    return {re.sub(r"_(total|sum|count|bucket)$", "", name) for name in names}


def counted() -> set[str]:
    families = [family for registry in (GATEWAY, WORKER) for family in registry.collect()]
    return {family.name for family in families if family.name.startswith("cdvd_")} | LOAD


def test_dashboard_shows_everything_that_is_counted_and_nothing_else() -> None:
    assert shown() == counted()


def test_panels_are_of_the_provisioned_source_and_do_not_overlap() -> None:
    source = read("docker/grafana/provisioning/datasources/prometheus.yml")["datasources"][0]["uid"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source}
    assert len(set(places)) == len(places)


def test_prometheus_asks_services_of_the_stack_at_their_ports() -> None:
    jobs = {job["job_name"]: job for job in read("docker/prometheus/prometheus.yml")["scrape_configs"]}
    services = read("docker-compose.yml")["services"]

    assert set(jobs) <= set(services)
    assert jobs["gateway"]["static_configs"][0]["targets"] == ["gateway:8080"]
    for name, port in (("worker", 9100), ("triton", 8002)):
        (found,) = jobs[name]["dns_sd_configs"]
        assert (found["names"], found["port"]) == ([name], port)
        assert re.search(
            rf"^EXPOSE .*\b{port}\b", (ROOT / f"docker/{name}/Dockerfile").read_text(), re.MULTILINE
        )


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())
