import gzip
import socket
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics, installed_build
from streamwatch.adapters.prometheus.server import Server, serve
from streamwatch.errors import ServiceError


class Site:
    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.metrics = WorkerMetrics(registry, Build("1.2.3", "3.11.9", "0.15.3"))
        self.server: Server = serve(registry, ready=lambda: self.metrics.is_ready)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=names)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body


@pytest.fixture(name="site", scope="module")
def _site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.stop()


def test_metrics_are_plain_text(site: Site) -> None:
    response, body = site.ask("/metrics?again=1")
    assert response.status == 200
    assert response.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert response.getheader("Server") == "streamwatch"
    assert b'streamwatch_build_info{faust="0.15.3",python="3.11.9",version="1.2.3"} 1.0\n' in body


def test_metrics_are_packed_for_those_who_take_it(site: Site) -> None:
    response, body = site.ask("/metrics", Accept_Encoding="gzip")
    assert response.getheader("Content-Encoding") == "gzip"
    assert b"streamwatch_ready" in gzip.decompress(body)


def test_metrics_are_open_metrics_for_those_who_ask(site: Site) -> None:
    response, body = site.ask("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert (response.getheader("Content-Type") or "").startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    families = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    assert "streamwatch_ready" in {family.name for family in families}


def test_a_living_process_is_healthy_and_ready_when_it_says_so(site: Site) -> None:
    site.metrics.ready(False)
    assert site.ask("/-/healthy")[0].status == 200
    assert site.ask("/-/ready")[0].status == 503
    site.metrics.ready(True)
    assert site.ask("/-/ready")[0].status == 200


def test_head_gives_the_length_and_no_body(site: Site) -> None:
    response, body = site.ask("/-/healthy", method="HEAD")
    assert (response.status, body) == (200, b"")
    assert response.getheader("Content-Length") == str(len(b"healthy\n"))


@pytest.mark.parametrize("path", ["/", "/metrics/", "/../etc/passwd", "/<script>"])
def test_any_other_path_is_not_found(site: Site, path: str) -> None:
    response, body = site.ask(path)
    assert response.status == 404
    assert body == b"not found; there are /metrics, /-/healthy and /-/ready\n"


def test_other_methods_are_refused(site: Site) -> None:
    response, body = site.ask("/metrics", method="POST")
    assert (response.status, body) == (501, b"501\n")


def test_a_client_that_talks_nonsense_or_leaves_changes_nothing(site: Site) -> None:
    for nonsense in (b"\x00\xff\r\n\r\n", b"GET", b"GET /metrics HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", site.server.port), timeout=10) as client:
            client.sendall(nonsense)
    assert site.ask("/-/healthy")[0].status == 200


def test_a_failing_collector_gives_500_without_its_stack(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing:
        def collect(self) -> Iterable[Metric]:
            raise RuntimeError("the secret place")

    registry = CollectorRegistry()
    registry.register(Failing())
    server = serve(registry)
    try:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        assert (response.status, response.read()) == (500, b"failed; the log says why\n")
        connection.close()
    finally:
        server.stop()
    assert "the secret place" in caplog.text


def test_a_port_in_use_names_the_setting(site: Site) -> None:
    with pytest.raises(ServiceError, match=r"the port is in use; set metrics_port to another one"):
        serve(CollectorRegistry(), "127.0.0.1", site.server.port)


def test_an_unknown_host_names_the_setting() -> None:
    with pytest.raises(ServiceError, match="set metrics_host to an address of this host"):
        serve(CollectorRegistry(), "no such host", 0)


def test_a_stopped_server_frees_its_port() -> None:
    first = serve(CollectorRegistry())
    first.stop()
    second = serve(CollectorRegistry(), port=first.port)
    assert second.port == first.port
    second.stop()


def test_the_installed_versions_are_known() -> None:
    build = installed_build()
    assert build.python.startswith("3.")
    assert build.faust.startswith("0.15")
    assert build.version


def test_a_process_in_which_something_hangs_says_what_and_is_not_healthy() -> None:
    server = serve(CollectorRegistry(), stuck=lambda: "the event loop has stood still for 130 s")
    try:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", "/-/healthy")
        response = connection.getresponse()
        answer = (response.status, response.read())
        connection.close()
    finally:
        server.stop()
    assert answer == (503, b"the event loop has stood still for 130 s\n")
