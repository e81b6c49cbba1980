/** Work on one thing waits for what is under way on the same thing; work on others does not. */
export function createKeyedLock(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>()
  return (key, work) => {
    const done = (tails.get(key) ?? Promise.resolve()).then(work)
    // Whoever comes next waits for the end, not for success; failure is told to whoever asked.
    const tail = done.catch(() => {})
    tails.set(key, tail)
    void tail.then(() => tails.get(key) === tail && tails.delete(key))
    return done
  }
}
