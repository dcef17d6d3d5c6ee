"""Everything that touches the world: Kafka, SQL, files, metrics, settings, clock."""
