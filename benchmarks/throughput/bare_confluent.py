"""The limit of the language: a confluent-kafka loop with msgspec decoding."""

import sys

import msgspec
from confluent_kafka import Consumer
from workload import State, Stopwatch, Widget, tally


def main(bootstrap: str, topic: str, group: str, expected: int) -> None:
    decode = msgspec.json.Decoder(Widget).decode
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    state: State = {}
    watch = Stopwatch(expected)
    done = False
    while not done:
        messages = consumer.consume(num_messages=2_000, timeout=1.0)
        for message in messages:
            tally(state, decode(message.value()))
        if messages:
            done = watch.add(len(messages))
            consumer.commit(asynchronous=True)
    watch.report(len(state))
    consumer.close()


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
