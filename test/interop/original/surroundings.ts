/** What an original needs of the world: time, chance and a log. Nothing here knows Weft. */
export interface Surroundings {
  nowMs(): number
  /** Wall clock. */
  time(): { readonly seconds: bigint; readonly nanos: number }
  after(delayMs: number, task: () => void): () => void
  random(): number
  log(text: string): void
}

/** The process of an original ended: it panicked. */
export class Panic extends Error {}

/** One direction-less end of a Chat stream: bytes of `Message` in and out, in order. */
export interface Stream {
  /** False: the other end takes nothing for now; what is written all the same waits. */
  write(message: Uint8Array): boolean
  end(): void
  listen(handlers: { readonly message: (bytes: Uint8Array) => void; readonly closed: () => void }): void
}
