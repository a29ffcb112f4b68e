/** Holds queries back while a transaction is tried once more: what disturbed it the first time must not do so again. */
export class QueryGate {
  private closed: Promise<void> | undefined

  /** Resolves when queries may run; at once, as a rule. */
  async passed(): Promise<void> {
    while (this.closed !== undefined) await this.closed
  }

  /** Runs `work` with the gate closed. */
  async closedDuring<T>(work: () => Promise<T>): Promise<T> {
    let open = (): void => {}
    this.closed = new Promise((resolve) => {
      open = resolve
    })
    try {
      return await work()
    } finally {
      this.closed = undefined
      open()
    }
  }
}
