/** How large a message or a block may become. One item of any size is always taken. */
export interface PartLimits<T> {
  readonly maxItems: number
  readonly maxBytes: number
  readonly bytesOf: (item: T) => number
}

/** Cuts items into parts that keep the limits, in order; none if there are no items. For batches and messages of bounded size. */
export function* inParts<T>(items: Iterable<T>, { maxItems, maxBytes, bytesOf }: PartLimits<T>): Generator<T[]> {
  let part: T[] = []
  let bytes = 0
  for (const item of items) {
    const more = bytesOf(item)
    if (part.length > 0 && (part.length >= maxItems || bytes + more > maxBytes)) {
      yield part
      part = []
      bytes = 0
    }
    part.push(item)
    bytes += more
  }
  if (part.length > 0) yield part
}
