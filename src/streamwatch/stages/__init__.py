"""The six stages that an event passes, one function a file."""
