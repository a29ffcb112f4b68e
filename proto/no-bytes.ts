/** The empty byte string, which nobody can change. */
export const NO_BYTES: Uint8Array = new Uint8Array(0)
