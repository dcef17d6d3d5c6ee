"""The pages and the JSON API over the database: pure functions from a request to a response."""
