/** Edit distance between two words: insertions, deletions and replacements. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min((row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1), (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    row = next
  }
  return row[b.length] ?? 0
}

/**
 * The word among `known` that somebody probably meant by `word`, compared without regard to case;
 * `undefined` if none is near (more than a third of its letters differ).
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const written = word.slice(0, 200).toLowerCase()
  const most = Math.max(2, Math.floor(written.length / 3))
  const ranked = [...known].map((candidate) => ({ candidate, edits: distance(written, candidate.toLowerCase()) }))
  return ranked.filter(({ edits }) => edits <= most).sort((a, b) => a.edits - b.edits)[0]?.candidate
}

/** `, did you mean <word>?` of the nearest known one; nothing if there is none. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `, did you mean ${near}?`
}
