/** Texts of the whole page, of numbers and states. */
export default {
  "page.title": "Video deblurring",
  "page.promise": "Drop a shaky or motion-blurred video and get a sharper one back: every frame, its timing and its sound kept.",
  "page.language": "Language",
  "page.outage": "The service does not answer. It is asked again every few seconds, and nothing is lost.",
  "page.back_again": "The service answers again.",

  "keys.title": "Keyboard",
  "keys.of_job": "While a job is shown",
  "keys.help": "this list",
  "keys.search": "search the jobs",
  "keys.close": "Close",

  "status.queued": "Waiting",
  "status.running": "Deblurring",
  "status.succeeded": "Done",
  "status.failed": "Failed",
  "status.canceled": "Canceled",
  "status.expired": "Expired",

  "count.frames": { one: "{count} frame", other: "{count} frames" },
  "count.seconds": { one: "{count} second", other: "{count} seconds" },
  "count.minutes": { one: "{count} minute", other: "{count} minutes" },
  "count.hours": { one: "{count} hour", other: "{count} hours" },

  "facts.partial": { one: "the first frame restored", other: "the first {count} restored" },
  "progress.frames": { one: "{done} of {count} frame", other: "{done} of {count} frames" },
  "progress.speed": "{speed} frames/s",
  "progress.no_space": "waits for space on the disk of the service",
  "progress.fetching": "the service fetches the video",
  "progress.fetched": "{done} fetched",
  "progress.fetched_of": "{done} of {total} fetched",
  "progress.left": "{time} left",

  "key.title": "Sign in",
  "key.why": "This service asks for a key. Whoever runs it can give you one.",
  "key.field": "Key",
  "key.send": "Sign in",
  "key.wrong": "That is not a valid key.",
  "key.out": "Sign out",
  "key.as": "Signed in as {tenant}",
};
