"""What the API's description begins with, at ``/docs`` and in ``/openapi.json``, and the groups of its calls."""

from __future__ import annotations

GUIDE = """
A job from submission to result, with nothing but curl (7.83 or newer):

```bash
service=http://127.0.0.1:8080
job=$service$(curl -sSf -F video=@shaky.mp4 -o /dev/null -w '%header{location}' $service/jobs)
curl -sSf "$job"                    # status, progress and ETA, at any time
curl -sSfN "$job/events"            # the same live, until the job has ended
curl -sSf -OJ "$job/result?wait=60" # shaky_deblurred.mp4, as soon as it is there
curl -sSf "$job/report"             # what was kept, and what was not
```

Errors are `application/problem+json` (RFC 9457): `code` is stable, `title` and `detail` are for people.
While a job runs, `Retry-After` says when asking again is worth it, and an `ETag` sent back as `If-None-Match`
saves the body.
"""

TAGS = [
    {
        "name": "jobs",
        "description": "Submit videos, follow and steer their jobs, and ask what a job would take.",
    },
    {
        "name": "files",
        "description": "What a job has: upload, result, report, frames, and how sharp they are.",
    },
    {"name": "uploads", "description": "Send a video in pieces (tus 1.0), or from a visitor's browser."},
    {"name": "webhooks", "description": "Messages that told the ends of jobs, or could not."},
    {"name": "service", "description": "What the service is, has and allows; signing in from a browser."},
    {"name": "admin", "description": "For operators: what waits and runs, and how to stop taking more."},
]
"""Every route has one of these."""

SERVERS = [{"url": "/", "description": "The service that this document is from."}]
