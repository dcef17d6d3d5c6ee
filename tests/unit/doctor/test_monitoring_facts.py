"""What the doctor reads of Prometheus and Alertmanager, in their own words."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from streamwatch.adapters.doctor.check import examined
from streamwatch.adapters.doctor.monitoring_checks import MONITORING
from streamwatch.adapters.doctor.monitoring_facts import ask_monitoring
from streamwatch.domain.alerting_settings import AlertingSettings, AlertmanagerSettings
from streamwatch.domain.settings import Settings
from streamwatch.rules.prometheus import RULES, prometheus_files


@contextmanager
def answering(answers: dict[str, bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path.partition("?")[0])
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings_for(address: str) -> Settings:
    return Settings(
        metrics_port=int(address.rpartition(":")[2]),
        alerting=AlertingSettings(prometheus=f"http://{address}"),
        alertmanager=AlertmanagerSettings(url=f"http://{address}"),
    )


def answers_for(settings: Settings, address: str) -> dict[str, bytes]:
    """Prometheus 3's and Alertmanager's answers, with everything as it should be."""
    generated: Any = prometheus_files(settings)[RULES]["groups"]
    groups = [
        {
            "name": group["name"],
            "rules": [
                {"name": one.get("alert") or one["record"], "query": one["expr"]}
                for one in group["rules"]
            ],
        }
        for group in generated
    ]
    targets = [{"scrapeUrl": f"http://{address}/metrics", "health": "up", "lastError": ""}]
    status = "route: {receiver: ticket, routes: [{receiver: page}, {receiver: client}]}"
    return {
        "/metrics": b"# HELP streamwatch_up one\nstreamwatch_up 1\n",
        "/api/v1/targets": json.dumps({"data": {"activeTargets": targets}}).encode(),
        "/api/v1/rules": json.dumps({"data": {"groups": groups}}).encode(),
        "/api/v1/alertmanagers": json.dumps(
            {"data": {"activeAlertmanagers": [{"url": f"http://{address}/api/v2/alerts"}]}}
        ).encode(),
        "/api/v2/status": json.dumps({"config": {"original": status}}).encode(),
    }


def test_answers_are_compared_with_what_the_settings_make() -> None:
    answers: dict[str, bytes] = {}
    with answering(answers) as address:
        settings = settings_for(address)
        answers |= answers_for(settings, address)
        facts = ask_monitoring(settings)
    assert facts.metrics == "streamwatch"
    assert facts.rules == facts.wanted_rules
    assert facts.receivers == ("client", "page", "ticket")
    said = {one.check for one in examined("monitoring", MONITORING, facts) if one.advice}
    assert said == {"routes"}


def test_nobody_there_is_no_error() -> None:
    settings = msgspec.structs.replace(settings_for("127.0.0.1:9"), metrics_port=0)
    facts = ask_monitoring(settings)
    assert (facts.metrics, facts.targets, facts.receivers) == ("nobody", None, None)


def test_a_program_that_is_not_ours_is_told_apart() -> None:
    with answering({"/metrics": b"node_cpu 1\n"}) as address:
        assert ask_monitoring(settings_for(address)).metrics == "other"
