"""OpenLineage events about the stages, when they are asked for."""
