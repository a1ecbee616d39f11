"""The Django application of the jobs: its tasks register themselves when Procrastinate is ready."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The schedule, the tasks, one run from trigger to publish."""

    name = "grantline.jobs"
    label = "jobs"
