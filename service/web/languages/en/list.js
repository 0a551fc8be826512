/** Texts of the list of jobs. */
export default {
  "list.title": "Jobs",
  "list.empty": "Nothing here yet.",
  "list.older": "Show older jobs",
  "list.open": "Compare",
  "list.download": "Download",
  "list.cancel": "Cancel",
  "list.retry": "Retry",
  "list.delete": "Delete",
  "list.act_on": "{action} {name}",
  "list.progress_of": "Progress of {name}",
  "list.now": "{name}: {status}",
  "list.some_video": "The video",
  "list.deleted": "The job was deleted.",
  "list.delete_this": "Delete {name}, with its result?",
  "list.keep": "Keep it",
};
