/** Texte der ganzen Seite, von Zahlen und Zuständen. */
export default {
  "page.title": "Videos schärfen",
  "page.promise": "Ein verwackeltes oder verwischtes Video hineinziehen und ein schärferes bekommen: jedes Bild, seine Zeit und der Ton bleiben.",
  "page.language": "Sprache",
  "page.outage": "Der Dienst antwortet nicht. Er wird alle paar Sekunden wieder gefragt, und nichts geht verloren.",
  "page.back_again": "Der Dienst antwortet wieder.",

  "keys.title": "Tastatur",
  "keys.of_job": "Während ein Auftrag gezeigt wird",
  "keys.help": "diese Liste",
  "keys.search": "die Aufträge durchsuchen",
  "keys.close": "Schließen",

  "status.queued": "Wartet",
  "status.running": "Wird geschärft",
  "status.succeeded": "Fertig",
  "status.failed": "Gescheitert",
  "status.canceled": "Abgebrochen",
  "status.expired": "Abgelaufen",

  "count.frames": { one: "{count} Bild", other: "{count} Bilder" },
  "count.seconds": { one: "{count} Sekunde", other: "{count} Sekunden" },
  "count.minutes": { one: "{count} Minute", other: "{count} Minuten" },
  "count.hours": { one: "{count} Stunde", other: "{count} Stunden" },

  "facts.partial": { one: "das erste geschärft", other: "die ersten {count} geschärft" },
  "progress.frames": { one: "{done} von {count} Bild", other: "{done} von {count} Bildern" },
  "progress.speed": "{speed} Bilder/s",
  "progress.no_space": "wartet auf Platz auf der Platte des Dienstes",
  "progress.fetching": "der Dienst holt das Video",
  "progress.fetched": "{done} geholt",
  "progress.fetched_of": "{done} von {total} geholt",
  "progress.left": "noch {time}",

  "key.title": "Anmelden",
  "key.why": "Dieser Dienst verlangt einen Schlüssel. Wer ihn betreibt, kann einen geben.",
  "key.field": "Schlüssel",
  "key.send": "Anmelden",
  "key.wrong": "Dieser Schlüssel gilt nicht.",
  "key.out": "Abmelden",
  "key.as": "Angemeldet als {tenant}",
};
