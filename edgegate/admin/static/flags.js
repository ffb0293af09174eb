// Envoy's response flags: the gateway says what each means, and this whose it is to look at.

const WHOSE = {
  NR: "the files",
  NC: "the files",
  DI: "the files",
  FI: "the files",
  UH: "the backend",
  UF: "the backend",
  UC: "the backend",
  UR: "the backend",
  UPE: "the backend",
  UT: "the backend",
  URX: "the backend",
  SI: "the backend",
  UO: "limits of the backend",
  OM: "the gateway",
  DT: "limits of requests",
  DC: "the client",
  DPE: "the client",
};

/** What came of another: the tries were used up, or none was allowed any more. */
const LATER = new Set(["UO", "URX"]);

/** Puts those first that say why. */
export function causes(flags) {
  return [...flags].sort((one, other) => LATER.has(one) - LATER.has(other));
}

/** Says what flags mean; there may be several. */
export function words(flags, meanings) {
  return causes(flags)
    .map(flag => meanings[flag] ?? flag)
    .join("; ");
}

/** Says whose a flag is to look at; empty where nobody knows. */
export function whose(flag) {
  return WHOSE[flag] ?? "";
}
