/** The known key that was most likely meant, or null when none is near. */
export function closestKey(key: string, known: readonly string[]): string | null {
  let best: string | null = null
  let least = Math.max(2, Math.floor(key.length / 3)) + 1
  for (const candidate of known) {
    const far = distance(normal(key), normal(candidate))
    if (far < least) [best, least] = [candidate, far]
  }
  return best
}

const normal = (key: string): string => key.slice(0, 64).toLowerCase().replaceAll(/[-_ ]/g, '')

/** Levenshtein: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
