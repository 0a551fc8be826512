/** Texte der Liste der Aufträge. */
export default {
  "list.title": "Aufträge",
  "list.empty": "Noch ist nichts hier.",
  "list.older": "Ältere Aufträge zeigen",
  "list.open": "Vergleichen",
  "list.download": "Herunterladen",
  "list.cancel": "Abbrechen",
  "list.retry": "Noch einmal versuchen",
  "list.delete": "Löschen",
  "list.act_on": "{action}: {name}",
  "list.progress_of": "Fortschritt von {name}",
  "list.now": "{name}: {status}",
  "list.some_video": "Das Video",
  "list.deleted": "Der Auftrag wurde gelöscht.",
  "list.delete_this": "{name} mit dem Ergebnis löschen?",
  "list.keep": "Behalten",
};
