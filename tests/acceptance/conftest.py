"""The organization, bucket and role of the integration tests, for tests with real worker processes."""

from tests.integration.jobs.conftest import stack, world  # noqa: F401 - fixtures
