"""Resumable jobs that turn the rows of a file into rows of another one.

What is done to a row, and with which model, is not decided here.
"""

from headwise.data.jobs.files import OutputFormat, RunFiles, beside
from headwise.data.jobs.job import run_job
from headwise.data.jobs.record import JobDone
from headwise.data.jobs.windows import timed_windows
from headwise.data.jobs.work import RowWork

__all__ = [
    "JobDone",
    "OutputFormat",
    "RowWork",
    "RunFiles",
    "beside",
    "run_job",
    "timed_windows",
]
