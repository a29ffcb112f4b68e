/** Remembers a success; a failure is tried again next time, since what was missing may have been installed. */
export function onceItWorks<T>(work: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined
  return () => {
    pending ??= work().catch((error: unknown) => {
      pending = undefined
      throw error
    })
    return pending
  }
}
