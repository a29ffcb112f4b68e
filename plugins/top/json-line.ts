/** One line of JSON; whole numbers beyond 2^53 as text. */
export function toJsonLine(value: object): string {
  return `${JSON.stringify(value, (_name, member: unknown) => (typeof member !== 'bigint' ? member : Number.isSafeInteger(Number(member)) ? Number(member) : String(member)))}\n`
}
