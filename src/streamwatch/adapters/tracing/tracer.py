"""The tracer: made by the settings, with the extra ``telemetry``."""

from typing import Any

from streamwatch import __version__
from streamwatch.adapters.extras import needed
from streamwatch.domain.interoperability_settings import TracingSettings

EXTRA = "telemetry"


def make_provider(settings: TracingSettings, exporter: Any = None) -> Any:
    """The provider of tracers; shut it down at the end, so that the last spans are sent.

    Args:
        settings: where to, and which share.
        exporter: instead of the one of the settings.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    resources = needed("opentelemetry.sdk.resources", EXTRA)
    sampling = needed("opentelemetry.sdk.trace.sampling", EXTRA)
    sdk = needed("opentelemetry.sdk.trace", EXTRA)
    export = needed("opentelemetry.sdk.trace.export", EXTRA)
    if exporter is None:
        otlp = needed("opentelemetry.exporter.otlp.proto.http.trace_exporter", EXTRA)
        exporter = otlp.OTLPSpanExporter(endpoint=settings.endpoint)
    provider = sdk.TracerProvider(
        resource=resources.Resource.create(
            {"service.name": "streamwatch", "service.version": __version__}
        ),
        sampler=sampling.ParentBased(sampling.TraceIdRatioBased(settings.sample)),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider


def tracer_of(provider: Any) -> Any:
    """The tracer of our spans."""
    return provider.get_tracer("streamwatch", __version__)
