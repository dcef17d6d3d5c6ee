"""What other formats cost before COUNT, beside COUNT itself on JSON.

    PYTHONPATH=src python benchmarks/formats.py [--records 40000] [--rounds 5]

The same widget events are written in each format; told is the processor's time a record of turning
slices of 2,000 into JSON, and of COUNT on that JSON. Each round runs all kinds one after the other;
the best round of each counts, since others may use the machine too. Needs all format extras.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import fastavro
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from machine import described, in_words

from streamwatch.adapters.formats.avro import compile_avro
from streamwatch.adapters.formats.cloudevents import cloudevent_to_json
from streamwatch.adapters.formats.jsonschema import compile_json_schema
from streamwatch.adapters.formats.protobuf import compile_described
from streamwatch.adapters.formats.registry import Schema
from streamwatch.adapters.formats.translator import Translator
from streamwatch.domain.records import FileRecord, Record, Slice
from streamwatch.domain.settings import Settings
from streamwatch.steps.count import CountStep
from streamwatch.steps.sources import compile_sources

NOW_MS = 1_772_366_400_000
SLICE = 2_000
RESULTS = Path(__file__).parent / "results"
TEXTS = ("event_id", "shop", "time", "product", "category", "gender", "height_unit", "app_version")
NUMBERS = ("height", "weight", "age")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=40_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--out", type=Path, default=RESULTS / "formats.json")
    given = options.parse_args()
    events = [event(number) for number in range(given.records)]
    kinds = {"count on json": counting(events), **translations(events)}
    best = dict.fromkeys(kinds, float("inf"))
    for _ in range(given.rounds):
        for name, run in kinds.items():
            begun = time.process_time()
            run()
            spent = time.process_time() - begun
            best[name] = min(best[name], 1e6 * spent / given.records)
    machine = described()
    answer = {"machine": machine, "records": given.records, "microseconds": best}
    given.out.write_text(json.dumps(answer, indent=1) + "\n")
    text = report(best, given.records, machine)
    given.out.with_suffix(".md").write_text(text)
    print(text)


def event(number: int) -> dict[str, Any]:
    return {
        "event_id": f"event-{number:09}",
        "shop": f"shop-{number % 50:03}",
        "time": "2026-03-01T11:30:00Z",
        "product": f"shirts-{number % 20:02}",
        "category": "shirts",
        "gender": "female",
        "height_unit": "cm",
        "app_version": "4.2.0",
        "height": 150.0 + number % 50,
        "weight": 50.0 + number % 40,
        "age": 20.0 + number % 60,
    }


def counting(events: Sequence[dict[str, Any]]) -> Callable[[], None]:
    source = compile_sources(Settings(), (), lambda _: UTC, b"k" * 32)["widget-event"]
    slices = sliced([json.dumps(one, separators=(",", ":")).encode() for one in events])

    def run() -> None:
        step = CountStep(source, 0)
        state = step.restore({})
        for slice_ in slices:
            step.process(state, slice_, NOW_MS)
        step.settle(state, len(events), 0, NOW_MS)

    return run


def translations(events: Sequence[dict[str, Any]]) -> dict[str, Callable[[], None]]:
    fields = [{"name": name, "type": "string"} for name in TEXTS]
    fields += [{"name": name, "type": "double"} for name in NUMBERS]
    avro = {"type": "record", "name": "Widget", "fields": fields}
    properties = {name: {"type": "string"} for name in TEXTS}
    schema = {"type": "object", "properties": properties, "required": ["event_id", "shop"]}
    files, message = protobuf_schema()
    plain = [json.dumps(one, separators=(",", ":")).encode() for one in events]
    headers = [(f"ce_{name}", b"1.0") for name in ("specversion", "id", "source", "type")]
    kinds = {
        "avro": (
            compile_avro(Schema("AVRO", json.dumps(avro)), ""),
            sliced(written_avro(avro, events)),
        ),
        "json-schema": (compile_json_schema(Schema("JSON", json.dumps(schema)), ""), sliced(plain)),
        "protobuf": (
            compile_described(files, None, ""),
            sliced([message(**one).SerializeToString() for one in events]),
        ),
        "cloudevents": (cloudevent_to_json, sliced(plain, headers)),
    }
    return {name: translating(Translator(read), slices) for name, (read, slices) in kinds.items()}


def translating(translator: Translator, slices: Sequence[Slice]) -> Callable[[], None]:
    def run() -> None:
        for slice_ in slices:
            translator(slice_)

    return run


def written_avro(schema: Any, events: Sequence[dict[str, Any]]) -> list[bytes]:
    parsed, values = fastavro.parse_schema(schema), []
    for one in events:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, parsed, one)
        values.append(stream.getvalue())
    return values


def protobuf_schema() -> tuple[bytes, Any]:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="widget.proto", syntax="proto3")
    made = file.message_type.add(name="Widget")
    for number, name in enumerate((*TEXTS, *NUMBERS), start=1):
        kind = kinds.TYPE_STRING if name in TEXTS else kinds.TYPE_DOUBLE
        made.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName("Widget"))
    return descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString(), message


def sliced(values: Sequence[bytes], headers: Sequence[tuple[str, bytes]] = ()) -> list[Slice]:
    records: list[Record] = [
        FileRecord(place, value, NOW_MS, b"k", headers) for place, value in enumerate(values)
    ]
    return [
        Slice("widget-event", 0, records[start : start + SLICE])
        for start in range(0, len(records), SLICE)
    ]


def report(best: dict[str, float], records: int, machine: dict[str, object]) -> str:
    lines = [
        "# Formats before COUNT",
        "",
        f"{records:,} widget events of eleven fields; {in_words(machine)}.",
        f"Command: `{machine['command']}`.",
        "",
        "| | µs of the processor a record |",
        "|---|---:|",
    ]
    lines += [f"| {name} | {spent:.2f} |" for name, spent in best.items()]
    lines += ["", "The first line is COUNT itself on JSON; the others come before it.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
