/**
 * What the page takes out of the service's own sentences, where no field of an answer says it. Each pattern fits the place
 * of the words in their sentence, so that a name of a load or of a file never decides. The sentences stand in
 * tests/browser/words.json: tests of the service hold it to them, and a test of the browser this page.
 */

const UNKNOWN_PHASES = /^The phases of .+ are not known: it counts on all of them\./;
const ORDER = /^The terminals of .+ hang on (L[123]), (L[123]) and (L[123]), in this order: seen in /;
/** At the end: what stands before it is the path. */
const FILE_UNREAD = / \(os error \d+\)\.(?: Trying again in \d+ s\.)?$/;
/** Behind the parameters of the line: what stands before them is the meter's model. */
const PERIOD = /( at \d+ \d[A-Z]\d), every \d+\.\d s(?=\.)/;

/** Of a charger whose phases are not known, rather than of phases that were found. */
export const tellsUnknownPhases = (text: string): boolean => UNKNOWN_PHASES.test(text);

/** The lines of the terminals as they were seen, such as `l2-l3-l1`; `null` where the sentence tells of fewer. */
export function orderOf(text: string): string | null {
  const [, ...lines] = ORDER.exec(text) ?? [];
  return lines.length === 0 ? null : lines.join("-").toLowerCase();
}

/** The file of a meter's source cannot be read, rather than that it was played to its end. */
export const tellsUnreadFile = (text: string): boolean => FILE_UNREAD.test(text);

/** The same without the period of the meter. */
export const withoutPeriod = (text: string): string => text.replace(PERIOD, "$1");
