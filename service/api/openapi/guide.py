"""What the API's description begins with, at ``/docs`` and in ``/openapi.json``."""

GUIDE = """
A job from submission to result, with nothing but curl (7.83 or newer):

```bash
service=http://127.0.0.1:8080
job=$service$(curl -sSf -F video=@shaky.mp4 -o /dev/null -w '%header{location}' $service/jobs)
curl -sSf "$job"                    # status, progress and ETA, at any time
curl -sSfN "$job/events"            # the same live, until the job has ended
curl -sSf -OJ "$job/result"         # shaky_deblurred.mp4
curl -sSf "$job/report"             # what was kept, and what was not
```

Errors are `application/problem+json` (RFC 9457): `code` is stable, `title` and `detail` are for people.
While a job runs, `Retry-After` says when asking again is worth it, and an `ETag` sent back as `If-None-Match`
saves the body.
"""
